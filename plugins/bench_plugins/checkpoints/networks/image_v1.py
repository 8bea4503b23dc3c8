"""The U-Net of k-diffusion, its model type `image_v1`.

Karras et al. 2022 (arXiv:2206.00364) train such networks; the architecture is Crowson's
(github.com/crowsonkb/k-diffusion). Parameters have the names of its files
(`u_net.d_blocks.0.1.main.0.mapper.weight`, ...), so that these load as they are; the computation
is our own, in plain torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import require

_GROUP = 32
_HEAD = 64
_TAPS = (1 / 8, 3 / 8, 3 / 8, 1 / 8)


@dataclass(frozen=True)
class ImageV1Config:
    """Sizes of an `ImageV1`, under k-diffusion's names; the defaults are those of CIFAR-10.

    Attributes:
        input_channels: of the image. input_size: its height and width.
        mapping_out: width of the embedding of the noise level.
        depths, channels, self_attn_depths: blocks, width and attention of each level.
        patch_size: pixels that are folded into the channels, in each direction.
        mapping_cond_dim: size of the augmentation labels that it was trained with (they are zero
            here), 0 for none.
        skip_stages: upper levels that are left out.
        has_variance: whether a further channel has a learned variance (it is dropped here).
    """

    input_channels: int = 3
    input_size: tuple[int, int] = (32, 32)
    mapping_out: int = 256
    depths: tuple[int, ...] = (2, 4, 4)
    channels: tuple[int, ...] = (128, 256, 512)
    self_attn_depths: tuple[bool, ...] = (False, True, True)
    patch_size: int = 1
    mapping_cond_dim: int = 9
    skip_stages: int = 0
    has_variance: bool = False

    def __post_init__(self) -> None:
        levels = len(self.depths)
        require(
            1 <= levels <= 16 and levels == len(self.channels) == len(self.self_attn_depths),
            "depths, channels and self_attn_depths must have one entry for each of 1 to 16 levels",
        )
        require(
            all(1 <= depth <= 64 for depth in self.depths) and min(self.channels) >= 1,
            "depths must be from 1 to 64, channels >= 1",
        )
        require(
            all(width < 2 * _GROUP or width % (width // _GROUP) == 0 for width in self.channels),
            "channels must divide into groups of at least 32",
        )
        require(
            self.input_channels >= 1 and self.mapping_out >= 2 and self.mapping_out % 2 == 0,
            "input_channels must be >= 1, mapping_out even",
        )
        require(self.mapping_cond_dim >= 0, "mapping_cond_dim must be >= 0")
        require(0 <= self.skip_stages < levels, "skip_stages must be less than the levels")
        factor = self.patch_size * 2 ** (levels - 1 - self.skip_stages)
        require(
            self.patch_size >= 1 and min(self.input_size) >= 1,
            "patch_size and input_size must be >= 1",
        )
        require(
            all(side % factor == 0 for side in self.input_size),
            f"input_size must be divisible by {factor} (patches, and two for each level)",
        )


class Fourier(nn.Module):
    """Cosines and sines of 2 pi W c; W was drawn once and is read from the file."""

    weight: Tensor

    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(features // 2, inputs))

    def forward(self, c: Tensor) -> Tensor:
        """(n, inputs) -> (n, features), float64, cosines first."""
        # Sums, no matrix product: half precision must not reach the noise level.
        angles = (2 * math.pi * c.double()[:, None, :] * self.weight.double()).sum(2)
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class AdaptiveNorm(nn.Module):
    """Group normalisation, scaled and shifted by what the embedding says."""

    def __init__(self, embedding: int, channels: int, like: int) -> None:
        super().__init__()
        self.groups = max(1, like // _GROUP)
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


class UNet(nn.Module):
    """The levels, from the highest resolution to the lowest and back."""

    def __init__(self, config: ImageV1Config) -> None:
        super().__init__()
        levels = range(len(config.depths))
        self.skip_stages = config.skip_stages
        self.d_blocks = nn.ModuleList(_down(config, level) for level in levels)
        self.u_blocks = nn.ModuleList(_up(config, level) for level in reversed(levels))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, width, h, w) -> the same shape."""
        skips: list[Tensor] = []
        for block in list(self.d_blocks)[self.skip_stages :]:
            x = block(x, embedding)
            skips.append(x)
        for index, block in enumerate(list(self.u_blocks)[: len(skips)]):
            skip = skips.pop()
            x = block(torch.cat([x, skip], dim=1) if index else x, embedding)
        return x


class ImageV1(nn.Module):
    """The network F of an `ImageV1Config`."""

    def __init__(self, config: ImageV1Config) -> None:
        super().__init__()
        self.config = config
        width, pixels = config.mapping_out, config.patch_size**2
        outer = config.channels[max(0, config.skip_stages - 1)]
        self.timestep_embed = Fourier(1, width)
        if config.mapping_cond_dim:
            # Its input is zero in sampling; it is here because the files have it.
            self.mapping_cond = nn.Linear(config.mapping_cond_dim, width, bias=False)
        self.mapping = nn.Sequential(
            nn.Linear(width, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        outputs = config.input_channels * pixels + int(config.has_variance)
        self.proj_in = nn.Conv2d(config.input_channels * pixels, outer, 1)
        self.proj_out = nn.Conv2d(outer, outputs, 1)
        self.u_net = UNet(config)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        """F of a batch: x (n, input_channels, h, w), c_noise (n,) or (1,); it has no classes."""
        embedding = self.mapping(self.timestep_embed(c_noise[:, None]).to(x.dtype))
        h = self.proj_in(functional.pixel_unshuffle(x, self.config.patch_size))
        h = self.proj_out(self.u_net(h, embedding))
        if self.config.has_variance:
            h = h[:, :-1]
        return functional.pixel_shuffle(h, self.config.patch_size)


def _down(config: ImageV1Config, level: int) -> Stage:
    width = config.channels[level]
    head: list[nn.Module] = [Resample(up=False) if level > config.skip_stages else nn.Identity()]
    return Stage(*head, *_blocks(config, level, config.channels[max(0, level - 1)], width))


def _up(config: ImageV1Config, level: int) -> Stage:
    width = config.channels[level]
    inputs = width if level == len(config.channels) - 1 else 2 * width
    tail: list[nn.Module] = [Resample(up=True) if level > config.skip_stages else nn.Identity()]
    return Stage(*_blocks(config, level, inputs, config.channels[max(0, level - 1)]), *tail)


def _blocks(config: ImageV1Config, level: int, inputs: int, outputs: int) -> Sequence[nn.Module]:
    """The blocks of a level: all of its own width, but for the first input and last output."""
    depth, width, made = config.depths[level], config.channels[level], list[nn.Module]()
    for index in range(depth):
        before = inputs if index == 0 else width
        after = outputs if index == depth - 1 else width
        made.append(ResBlock(config.mapping_out, before, width, after))
        if config.self_attn_depths[level]:
            made.append(Attention(config.mapping_out, after))
    return made
