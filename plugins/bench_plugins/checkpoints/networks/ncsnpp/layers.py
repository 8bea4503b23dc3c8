"""Layers of NCSN++ and DDPM++: embeddings of the noise level, attention, resampling."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.fir import FirDownConv, down, fir_kernel, up
from bench_plugins.checkpoints.networks.ncsnpp.config import NCSNppConfig

ROOT_HALF = math.sqrt(0.5)


class FourierFeatures(nn.Module):
    """Sines and cosines of 2 pi W ln(sigma) (Tancik et al. 2020); W is drawn once and kept."""

    def __init__(self, features: int, scale: float) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(features) * scale, requires_grad=False)

    def forward(self, sigma: Tensor) -> Tensor:
        """(n,) -> (n, 2 * features)."""
        # Angles reach a thousand: float32 would leave an error of 1e-4 in them.
        angles = sigma.double().log()[:, None] * self.W.double() * (2 * math.pi)
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class PositionalFeatures(nn.Module):
    """DDPM's sines and cosines of a time label in [0, 1000)."""

    frequencies: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        half = features // 2
        # In float32, as the networks were trained: at label 999 the rounding shows.
        step = torch.arange(half, dtype=torch.float32, device="cpu")
        frequencies = (step * -(math.log(10000) / (half - 1))).exp()
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, label: Tensor) -> Tensor:
        """(n,) -> (n, features)."""
        angles = label.double()[:, None] * self.frequencies.double()
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class NIN(nn.Module):
    """A 1x1 convolution whose weight is stored as (inputs, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(inputs, outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.W)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        return functional.conv2d(x, self.W.T[:, :, None, None], self.b)


class Attention(nn.Module):
    """Residual self-attention over the positions of a feature map, one head."""

    def __init__(self, channels: int, config: NCSNppConfig) -> None:
        super().__init__()
        self.GroupNorm_0 = norm(channels)
        self.NIN_0 = NIN(channels, channels)
        self.NIN_1 = NIN(channels, channels)
        self.NIN_2 = NIN(channels, channels)
        self.NIN_3 = NIN(channels, channels)
        self.gain = ROOT_HALF if config.skip_rescale else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> the same shape."""
        h = self.GroupNorm_0(x)
        q, k, v = (
            project(h).flatten(2).transpose(1, 2)
            for project in (self.NIN_0, self.NIN_1, self.NIN_2)
        )
        mixed = functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return apply_gain(x + self.NIN_3(mixed.transpose(1, 2).reshape(x.shape)), self.gain)


class Upsample(nn.Module):
    """Twice the resolution: nearest neighbour or filter, then perhaps a convolution."""

    kernel: Tensor

    def __init__(self, channels: int, outputs: int, conv: bool, config: NCSNppConfig) -> None:
        super().__init__()
        self.fir = config.fir
        self.register_buffer("kernel", fir_kernel(config.fir_taps), persistent=False)
        if conv:
            self.Conv_0 = conv3(channels, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, outputs, 2h, 2w)."""
        h = up(x, self.kernel) if self.fir else repeat(x)
        return self.Conv_0(h) if hasattr(self, "Conv_0") else h


class Downsample(nn.Module):
    """Half the resolution: mean, strided convolution, or filter and either."""

    kernel: Tensor

    def __init__(self, channels: int, outputs: int, conv: bool, config: NCSNppConfig) -> None:
        super().__init__()
        self.fir = config.fir
        self.register_buffer("kernel", fir_kernel(config.fir_taps), persistent=False)
        if conv and config.fir:
            self.Conv2d_0 = FirDownConv(channels, outputs, config.fir_taps)
        elif conv:
            self.Conv_0 = nn.Conv2d(channels, outputs, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, outputs, h/2, w/2)."""
        if hasattr(self, "Conv2d_0"):
            x = self.Conv2d_0(x)
        elif hasattr(self, "Conv_0"):
            x = self.Conv_0(functional.pad(x, (0, 1, 0, 1)))  # TensorFlow's "same" padding
        else:
            x = down(x, self.kernel) if self.fir else functional.avg_pool2d(x, 2)
        return x


class Combine(nn.Module):
    """The image pyramid, by a 1x1 convolution, as a sum or beside the features."""

    def __init__(self, image: int, channels: int, config: NCSNppConfig) -> None:
        super().__init__()
        self.Conv_0 = nn.Conv2d(image, channels, 1)
        self.cat = config.combine == "cat"

    def forward(self, pyramid: Tensor, h: Tensor) -> Tensor:
        """(n, image, ...) and (n, channels, ...) -> (n, channels or twice as many, ...)."""
        image = self.Conv_0(pyramid)
        return torch.cat([image, h], dim=1) if self.cat else image + h


def conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(channels // 4, 32), channels, eps=1e-6)


def apply_gain(x: Tensor, gain: float) -> Tensor:
    return x if gain == 1.0 else x * gain


def repeat(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
