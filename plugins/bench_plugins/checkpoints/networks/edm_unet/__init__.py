"""The U-Nets of EDM's checkpoints: DDPM++ and NCSN++ as EDM has them, and ADM.

Karras, Aittala, Aila & Laine 2022, "Elucidating the Design Space of Diffusion-Based Generative
Models" (arXiv:2206.00364), appendix F; ADM is Dhariwal & Nichol 2021 (arXiv:2105.05233).
Parameters have the names of the authors' files (`enc.32x32_block0.conv0.weight`, ...), so that
these load as they are; the computation is our own, in plain torch.
"""

from bench_plugins.checkpoints.networks.edm_unet.block import Block
from bench_plugins.checkpoints.networks.edm_unet.config import EdmUnetConfig
from bench_plugins.checkpoints.networks.edm_unet.layers import Conv
from bench_plugins.checkpoints.networks.edm_unet.network import EdmUnet

__all__ = ["Block", "Conv", "EdmUnet", "EdmUnetConfig"]
