"""Initial weights of score_sde's and EDM's networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bench_plugins.checkpoints.networks.edm_unet import Block, Conv, EdmUnet
from bench_plugins.checkpoints.networks.fir import FirDownConv
from bench_plugins.checkpoints.networks.ncsnpp import NIN, Attention, NCSNpp, ResBlock

# So far are branches and outputs that begin at nearly nothing from nothing.
_NEARLY_ZERO = 1e-10


@torch.no_grad()
def initialise_ncsnpp(network: NCSNpp) -> None:
    """DDPM's initial weights, as score_sde takes them (arXiv:2011.13456, appendix H).

    Weights are uniform of variance scale / ((fan_in + fan_out) / 2) and biases zero. The scale is
    1; 0.1 for the 1x1 convolutions of attention; 1e-10 for what ends a residual branch and for the
    output, so that blocks begin as the identity. Norms begin as they are made, Fourier
    frequencies too. Draws from torch's global generator.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | FirDownConv):
            _scale_variance(module.weight, 1.0)
            assert module.bias is not None
            module.bias.zero_()
        elif isinstance(module, NIN):
            _scale_variance(module.W, 0.1)
            module.b.zero_()
    for module in network.modules():
        if isinstance(module, ResBlock):
            _scale_variance(module.Conv_1.weight, _NEARLY_ZERO)
        elif isinstance(module, Attention):
            _scale_variance(module.NIN_3.W, _NEARLY_ZERO)
    for head in network.output_convolutions():
        _scale_variance(head.weight, _NEARLY_ZERO)


@torch.no_grad()
def initialise_edm(network: EdmUnet) -> None:
    """EDM's initial weights of DDPM++ and NCSN++ (arXiv:2206.00364, appendix F): Xavier's.

    Uniform, biases zero; attention's query, key and value are scaled by the root of 0.2, what
    ends a residual branch and the output by 1e-5.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) or (isinstance(module, Conv) and module.kernel):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                module.bias.zero_()
            if name.endswith("aux_conv"):
                module.weight.mul_(1e-5)
    for module in network.modules():
        if isinstance(module, Block):
            module.conv1.weight.mul_(1e-5)
            if module.heads:
                module.qkv.weight.mul_(math.sqrt(0.2))
                module.proj.weight.mul_(1e-5)


def _scale_variance(weight: Tensor, scale: float) -> None:
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    bound = math.sqrt(3 * scale / ((fan_in + fan_out) / 2))
    nn.init.uniform_(weight, -bound, bound)
