"""The U-Net of k-diffusion, its model type `image_v1`.

Karras et al. 2022 (arXiv:2206.00364) train such networks; the architecture is Crowson's
(github.com/crowsonkb/k-diffusion). Parameters have the names of its files
(`u_net.d_blocks.0.1.main.0.mapper.weight`, ...), so that these load as they are; the computation
is our own, in plain torch.
"""

from bench_plugins.checkpoints.networks.image_v1.config import ImageV1Config
from bench_plugins.checkpoints.networks.image_v1.network import ImageV1

__all__ = ["ImageV1", "ImageV1Config"]
