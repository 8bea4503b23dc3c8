"""What a folder of diffusers' UNet2DModel says: its files, its network and its noise levels."""
