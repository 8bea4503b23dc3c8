"""Folders of diffusers' UNet2DModel: files, network and noise levels."""
