"""The hourglass transformer of k-diffusion, its model type `image_transformer_v2`.

Crowson, Baumann, Birch, Abraham, Kaplan & Shippole 2024, "Scalable High-Resolution Pixel-Space
Image Synthesis with Hourglass Diffusion Transformers" (arXiv:2401.11605). Parameters have the
names of its files (`down_levels.0.0.self_attn.qkv_proj.weight`, ...), so that these load as they
are; the computation is our own, in plain torch. Attention within neighbourhoods (Hassani et al.
2023, arXiv:2204.07143) and within shifted windows (Liu et al. 2021, arXiv:2103.14030) is attention
over all tokens under a mask: the same numbers without their kernels, and slower.
"""

from bench_plugins.checkpoints.networks.image_transformer_v2.config import (
    ImageTransformerV2Config,
    LevelConfig,
)
from bench_plugins.checkpoints.networks.image_transformer_v2.network import ImageTransformerV2

__all__ = ["ImageTransformerV2", "ImageTransformerV2Config", "LevelConfig"]
