"""Resampling by two with a finite impulse response filter, as depthwise convolutions.

Karras et al. 2020 (StyleGAN2, arXiv:1912.04958); the kernel is [1, 3, 3, 1] in score_sde. Written
as plain convolutions, which run and differentiate everywhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def fir_kernel(taps: tuple[int, ...]) -> Tensor:
    """The separable filter of ``taps`` as a (1, 1, n, n) kernel of sum 1, float32."""
    line = torch.tensor(taps, dtype=torch.float32)
    return (torch.outer(line, line) / line.sum().square())[None, None]


def up(x: Tensor, kernel: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, c, 2h, 2w): zeros between the pixels, then the filter times four."""
    spread = (4 * kernel).to(x.dtype).expand(x.shape[1], -1, -1, -1)
    margin = (kernel.shape[-1] - 2) // 2
    return functional.conv_transpose2d(x, spread, stride=2, padding=margin, groups=x.shape[1])


def down(x: Tensor, kernel: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, c, h/2, w/2): the filter, then every second pixel."""
    spread = kernel.to(x.dtype).expand(x.shape[1], -1, -1, -1)
    margin = (kernel.shape[-1] - 2) // 2
    return functional.conv2d(x, spread, stride=2, padding=margin, groups=x.shape[1])


class FirDownConv(nn.Module):
    """The filter and a strided 3x3 convolution behind it, padded once before both."""

    kernel: Tensor

    def __init__(self, inputs: int, outputs: int, taps: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("kernel", fir_kernel(taps), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h/2, w/2)."""
        spread = self.kernel.to(x.dtype).expand(x.shape[1], -1, -1, -1)
        smooth = functional.conv2d(x, spread, padding=self.kernel.shape[-1] // 2, groups=x.shape[1])
        return functional.conv2d(smooth, self.weight, self.bias, stride=2)
