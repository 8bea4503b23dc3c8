"""NCSN++ and DDPM++, the networks of Song et al. 2021, and DDPM's own as they retrained it.

Song, Sohl-Dickstein, Kingma, Kumar, Ermon & Poole 2021, "Score-Based Generative Modeling through
Stochastic Differential Equations" (arXiv:2011.13456), section 4.1 and appendix H; DDPM is Ho, Jain
& Abbeel 2020 (arXiv:2006.11239). Parameters have the names and the order of the authors' PyTorch
checkpoints (`all_modules.<i>`), so that these load as they are; the computation is our own, in
plain torch.
"""

from bench_plugins.checkpoints.networks.ncsnpp.block import ResBlock
from bench_plugins.checkpoints.networks.ncsnpp.config import NCSNppConfig, trained_levels
from bench_plugins.checkpoints.networks.ncsnpp.layers import NIN, Attention
from bench_plugins.checkpoints.networks.ncsnpp.network import NCSNpp

__all__ = ["NIN", "Attention", "NCSNpp", "NCSNppConfig", "ResBlock", "trained_levels"]
