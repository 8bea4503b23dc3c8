"""Blocks of k-diffusion's U-Net."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import require
from bench_plugins.checkpoints.networks.image_v1.config import GROUP

_HEAD = 64


_TAPS = (1 / 8, 3 / 8, 3 / 8, 1 / 8)


class AdaptiveNorm(nn.Module):
    """Group normalisation, scaled and shifted by what the embedding says."""

    def __init__(self, embedding: int, channels: int, like: int) -> None:
        super().__init__()
        self.groups = max(1, like // GROUP)
        self.mapper = nn.Linear(embedding, 2 * channels)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, channels, h, w) -> the same shape; embedding (n or 1, width)."""
        scale, shift = self.mapper(embedding)[:, :, None, None].chunk(2, dim=1)
        normed = functional.group_norm(x, self.groups, eps=1e-5)
        result: Tensor = torch.addcmul(shift, normed, scale + 1)
        return result


class ResBlock(nn.Module):
    """norm, GELU, conv, norm, GELU, conv; and the input, projected where the width changes."""

    def __init__(self, embedding: int, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        # The places of the file; what is left out there has no weights (GELU, dropout).
        self.main = nn.ModuleDict(
            {
                "0": AdaptiveNorm(embedding, inputs, inputs),
                "2": nn.Conv2d(inputs, middle, 3, padding=1),
                "4": AdaptiveNorm(embedding, middle, middle),
                "6": nn.Conv2d(middle, outputs, 3, padding=1),
            }
        )
        if inputs != outputs:
            self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        first, conv0, second, conv1 = self.main.values()
        h = conv0(functional.gelu(first(x, embedding)))
        h = conv1(functional.gelu(second(h, embedding)))
        result: Tensor = h + (self.skip(x) if hasattr(self, "skip") else x)
        return result


class Attention(nn.Module):
    """Residual self-attention over the positions, heads of about 64 channels.

    k-diffusion's own forgets to switch its dropout off outside of training; there is none here.
    """

    def __init__(self, embedding: int, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // _HEAD)
        require(channels % self.heads == 0, "channels with attention must divide into its heads")
        self.norm_in = AdaptiveNorm(embedding, channels, channels)
        self.qkv_proj = nn.Conv2d(channels, 3 * channels, 1)
        self.out_proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, channels, h, w) -> the same shape."""
        n, channels, height, width = x.shape
        packed = self.qkv_proj(self.norm_in(x, embedding))
        # All queries first, then all keys, then all values.
        packed = packed.reshape(n, 3, self.heads, channels // self.heads, height * width)
        q, k, v = packed.transpose(3, 4).unbind(1)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        mixed = mixed.transpose(2, 3).reshape(n, channels, height, width)
        result: Tensor = x + self.out_proj(mixed)
        return result


class Resample(nn.Module):
    """Half or twice the resolution through the filter (1, 3, 3, 1) / 8, edges reflected."""

    kernel: Tensor

    def __init__(self, up: bool) -> None:
        super().__init__()
        self.up = up
        taps = torch.tensor(_TAPS) * (2 if up else 1)
        self.register_buffer("kernel", torch.outer(taps, taps))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h', w')."""
        channels = x.shape[1]
        spread = self.kernel.expand(channels, 1, -1, -1)
        wide = functional.pad(x, (1, 1, 1, 1), mode="reflect")
        if self.up:
            return functional.conv_transpose2d(wide, spread, stride=2, padding=3, groups=channels)
        return functional.conv2d(wide, spread, stride=2, groups=channels)


class Stage(nn.Sequential):
    """Modules of one level, each with the embedding or without."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:  # type: ignore[override]
        """(n, inputs, h, w) -> (n, outputs, h', w')."""
        for module in self:
            given = isinstance(module, ResBlock | Attention)
            x = module(x, embedding) if given else module(x)
        return x
