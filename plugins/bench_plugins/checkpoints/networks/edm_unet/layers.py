"""Layers of EDM's U-Nets: embeddings of the noise level, convolution, normalisation."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.fir import fir_kernel

Resample = Literal["", "up", "down"]


class Positional(nn.Module):
    """Cosines and sines of a label at geometric frequencies from 1 to about 1e-4."""

    frequencies: Tensor

    def __init__(self, features: int, endpoint: bool) -> None:
        super().__init__()
        half = features // 2
        # In float32, as the networks were trained: at label 999 the rounding shows.
        exponents = torch.arange(half, dtype=torch.float32) / (half - int(endpoint))
        self.register_buffer("frequencies", (1 / 10000) ** exponents, persistent=False)

    def forward(self, label: Tensor) -> Tensor:
        """(n,) -> (n, features), cosines first."""
        angles = label.double()[:, None] * self.frequencies.double()
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Fourier(nn.Module):
    """Cosines and sines of 2 pi f times a label; f was drawn once and is read from the file."""

    freqs: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("freqs", torch.randn(features // 2) * 16)

    def forward(self, label: Tensor) -> Tensor:
        """(n,) -> (n, features), cosines first."""
        angles = label.double()[:, None] * (2 * math.pi * self.freqs.double())
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Conv(nn.Module):
    """A convolution with resampling by two before it; with ``kernel=0`` only the resampling.

    ``fused``: down-sampling after the convolution instead (as it is in NCSN++'s image pyramid).
    """

    weight: Tensor
    bias: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        resample: Resample = "",
        taps: tuple[int, ...] = (1, 1),
        fused: bool = False,
    ) -> None:
        super().__init__()
        self.kernel, self.resample, self.fused = kernel, resample, fused
        if kernel:
            self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
            self.bias = nn.Parameter(torch.zeros(outputs))
            nn.init.kaiming_normal_(self.weight)
        if resample:
            self.register_buffer("resample_filter", fir_kernel(taps))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w')."""
        padding = self.kernel // 2
        if not self.resample:
            return functional.conv2d(x, self.weight, self.bias, padding=padding)
        margin = (self.resample_filter.shape[-1] - 1) // 2
        if self.fused:
            wide = functional.conv2d(x, self.weight, padding=padding + margin)
            return filter_down(wide, self.resample_filter, 0) + self.bias[:, None, None]
        if self.resample == "up":
            spread = (4 * self.resample_filter).expand(x.shape[1], -1, -1, -1)
            x = functional.conv_transpose2d(x, spread, stride=2, padding=margin, groups=x.shape[1])
        else:
            x = filter_down(x, self.resample_filter, margin)
        return functional.conv2d(x, self.weight, self.bias, padding=padding) if self.kernel else x


class Norm(nn.GroupNorm):
    """Group normalisation with groups of at least four channels, at most 32 groups."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__(min(32, channels // 4), channels, eps=eps)


def filter_down(x: Tensor, kernel: Tensor, padding: int) -> Tensor:
    spread = kernel.expand(x.shape[1], -1, -1, -1)
    return functional.conv2d(x, spread, stride=2, padding=padding, groups=x.shape[1])
