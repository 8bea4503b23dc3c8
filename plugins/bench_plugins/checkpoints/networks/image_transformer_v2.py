"""The hourglass transformer of k-diffusion, its model type `image_transformer_v2`.

Crowson, Baumann, Birch, Abraham, Kaplan & Shippole 2024, "Scalable High-Resolution Pixel-Space
Image Synthesis with Hourglass Diffusion Transformers" (arXiv:2401.11605). Parameters have the
names of its files (`down_levels.0.0.self_attn.qkv_proj.weight`, ...), so that these load as they
are; the computation is our own, in plain torch. Attention within neighbourhoods (Hassani et al.
2023, arXiv:2204.07143) and within shifted windows (Liu et al. 2021, arXiv:2103.14030) is attention
over all tokens under a mask: the same numbers without their kernels, and slower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import require
from bench_plugins.checkpoints.networks.image_v1 import Fourier

_AUGMENTATIONS = 9


@dataclass(frozen=True)
class LevelConfig:
    """One level of the hourglass.

    Attributes:
        depth: transformer layers (on the way down, and again on the way up).
        width, d_ff: features of a token, and inside of the feed-forward layers.
        attention: `global`, `neighborhood`, `shifted-window` or `none`.
        d_head: width of a head.
        reach: side of a neighbourhood (`kernel_size`) or window (`window_size`).
        size: tokens from top to bottom and from left to right.
    """

    depth: int
    width: int
    d_ff: int
    attention: Literal["global", "neighborhood", "shifted-window", "none"]
    d_head: int
    reach: int
    size: tuple[int, int]

    def __post_init__(self) -> None:
        require(
            1 <= self.depth <= 64 and self.width >= 1 and self.d_ff >= 1,
            "depths must be from 1 to 64, widths and d_ffs >= 1",
        )
        require(
            self.d_head >= 8 and self.d_head % 8 == 0 and self.width % self.d_head == 0,
            "d_head must be a multiple of 8 that divides the width",
        )
        require(min(self.size) >= 1, "input_size must have tokens for each level")
        if self.attention == "neighborhood":
            require(
                self.reach % 2 == 1 and 1 <= self.reach <= min(self.size),
                "kernel_size must be odd, and at most as large as its level has tokens",
            )
        if self.attention == "shifted-window":
            require(
                self.reach >= 1 and all(side % self.reach == 0 for side in self.size),
                "window_size must divide the number of tokens of its level",
            )


@dataclass(frozen=True)
class ImageTransformerV2Config:
    """Sizes of an `ImageTransformerV2`.

    Attributes:
        input_channels: of the image. patch_size: pixels of a token, height and width.
        levels: from the highest resolution to the lowest.
        mapping_depth, mapping_width, mapping_d_ff: of the network that embeds the noise level.
        classes: entries of the table of classes, the last of which is no class; 0 without.
    """

    input_channels: int
    patch_size: tuple[int, int]
    levels: tuple[LevelConfig, ...]
    mapping_depth: int = 2
    mapping_width: int = 256
    mapping_d_ff: int = 768
    classes: int = 0

    def __post_init__(self) -> None:
        require(1 <= len(self.levels) <= 16, "there must be 1 to 16 levels")
        require(
            self.input_channels >= 1 and min(self.patch_size) >= 1,
            "input_channels and patch_size must be >= 1",
        )
        require(
            0 <= self.mapping_depth <= 64 and self.mapping_d_ff >= 1,
            "mapping_depth must be from 0 to 64, mapping_d_ff >= 1",
        )
        require(
            self.mapping_width >= 2 and self.mapping_width % 2 == 0, "mapping_width must be even"
        )


class Norm(nn.Module):
    """Division by the root of the mean square, and a learned scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        return _normed(x, self.scale)


class AdaptiveNorm(nn.Module):
    """The same with the scale that the embedding says."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.linear = nn.Linear(embedding, width, bias=False)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, h, w, width) -> the same shape; embedding (n or 1, embedding)."""
        return _normed(x, self.linear(embedding)[:, None, None, :] + 1)


class GatedLinear(nn.Linear):
    """GEGLU (Shazeer 2020, arXiv:2002.05202): one half times GELU of the other."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, 2 * outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        value, gate = super().forward(x).chunk(2, dim=-1)
        return value * functional.gelu(gate)


class FeedForward(nn.Module):
    """norm, gated layer, layer; and the input. Its norm is adaptive where an embedding is given."""

    def __init__(self, width: int, d_ff: int, embedding: int | None) -> None:
        super().__init__()
        self.norm = Norm(width) if embedding is None else AdaptiveNorm(width, embedding)
        self.up_proj = GatedLinear(width, d_ff)
        self.down_proj = nn.Linear(d_ff, width, bias=False)

    def forward(self, x: Tensor, *embedding: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        result: Tensor = x + self.down_proj(self.up_proj(self.norm(x, *embedding)))
        return result


class Rotation(nn.Module):
    """Frequencies of the rotary embedding of a token's place, (heads, d_head / 8)."""

    freqs: Tensor

    def __init__(self, d_head: int, heads: int) -> None:
        super().__init__()
        count = d_head // 8
        logs = torch.linspace(math.log(math.pi), math.log(10 * math.pi), heads * count + 1)[:-1]
        self.register_buffer("freqs", logs.exp().view(count, heads).T.contiguous())

    def forward(self, places: Tensor) -> Tensor:
        """Angles (heads, tokens, d_head / 4) of places (tokens, 2): of the rows, then columns."""
        angles = places.T[:, None, :, None] * self.freqs[None, :, None, :].to(places.dtype)
        return torch.cat([angles[0], angles[1]], dim=-1)


class Attention(nn.Module):
    """Residual attention by cosine similarity, with rotated queries and keys."""

    def __init__(self, level: LevelConfig, embedding: int) -> None:
        super().__init__()
        self.heads = level.width // level.d_head
        self.scale = nn.Parameter(torch.full([self.heads], 10.0))
        self.norm = AdaptiveNorm(level.width, embedding)
        self.qkv_proj = nn.Linear(level.width, 3 * level.width, bias=False)
        self.pos_emb = Rotation(level.d_head, self.heads)
        self.out_proj = nn.Linear(level.width, level.width, bias=False)

    def forward(
        self, x: Tensor, embedding: Tensor, places: Tensor, allowed: Tensor | None
    ) -> Tensor:
        """(n, h, w, width) -> the same shape; allowed (tokens, tokens), row by row."""
        n, height, width, features = x.shape
        packed = self.qkv_proj(self.norm(x, embedding))
        packed = packed.reshape(n, height * width, 3, self.heads, features // self.heads)
        q, k, v = packed.permute(2, 0, 3, 1, 4).unbind(0)
        root = self.scale[:, None, None].to(_wide(x)).sqrt()
        angles = self.pos_emb(places)
        q, k = (_rotated(_unit(part) * root, angles).to(v.dtype) for part in (q, k))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=1.0)
        mixed = mixed.transpose(1, 2).reshape(x.shape)
        result: Tensor = x + self.out_proj(mixed)
        return result


class Layer(nn.Module):
    """Attention, where the level has any, and the feed-forward layer."""

    def __init__(self, level: LevelConfig, embedding: int) -> None:
        super().__init__()
        if level.attention != "none":
            self.self_attn = Attention(level, embedding)
        self.ff = FeedForward(level.width, level.d_ff, embedding)

    def forward(
        self, x: Tensor, embedding: Tensor, places: Tensor, allowed: Tensor | None
    ) -> Tensor:
        """(n, h, w, width) -> the same shape."""
        if hasattr(self, "self_attn"):
            x = self.self_attn(x, embedding, places, allowed)
        result: Tensor = self.ff(x, embedding)
        return result


class Merge(nn.Module):
    """Patches of tokens to single tokens."""

    def __init__(self, inputs: int, outputs: int, patch: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Linear(inputs * patch[0] * patch[1], outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, h, w, inputs) -> (n, h / patch, w / patch, outputs)."""
        n, height, width, features = x.shape
        rows, columns = self.patch
        x = x.reshape(n, height // rows, rows, width // columns, columns, features)
        result: Tensor = self.proj(x.transpose(2, 3).flatten(3))
        return result


class Split(nn.Module):
    """Single tokens to patches; ``mixes``: interpolated with the map of the way down."""

    def __init__(
        self, inputs: int, outputs: int, mixes: bool, patch: tuple[int, int] = (2, 2)
    ) -> None:
        super().__init__()
        self.patch = patch
        if mixes:
            self.fac = nn.Parameter(torch.full([1], 0.5))
        self.proj = nn.Linear(inputs, outputs * patch[0] * patch[1], bias=False)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """(n, h, w, inputs) -> (n, h patch, w patch, outputs)."""
        n, height, width, _ = x.shape
        rows, columns = self.patch
        x = self.proj(x).reshape(n, height, width, rows, columns, -1)
        x = x.transpose(2, 3).reshape(n, height * rows, width * columns, -1)
        return x if skip is None else skip + (x - skip) * self.fac


class Mapping(nn.Module):
    """The network of the embedding."""

    def __init__(self, config: ImageTransformerV2Config) -> None:
        super().__init__()
        width = config.mapping_width
        self.in_norm = Norm(width)
        self.blocks = nn.ModuleList(
            FeedForward(width, config.mapping_d_ff, None) for _ in range(config.mapping_depth)
        )
        self.out_norm = Norm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) -> the same shape."""
        x = self.in_norm(x)
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.out_norm(x)
        return result


class Level(nn.ModuleList):
    """The layers of one level, on the way down, in the middle, or on the way up.

    ``first`` counts on over both ways: windows are shifted in layers of odd number.
    """

    places: Tensor

    def __init__(self, level: LevelConfig, embedding: int, places: Tensor, first: int = 0) -> None:
        super().__init__([Layer(level, embedding) for _ in range(level.depth)])
        self.odd = tuple((first + index) % 2 == 1 for index in range(level.depth))
        self.register_buffer("places", places.flatten(0, 1), persistent=False)
        self.register_buffer("even_mask", _allowed(level, shifted=False), persistent=False)
        self.register_buffer("odd_mask", _allowed(level, shifted=True), persistent=False)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, h, w, width) -> the same shape."""
        for odd, layer in zip(self.odd, self, strict=True):
            x = layer(x, embedding, self.places, self.odd_mask if odd else self.even_mask)
        return x


class ImageTransformerV2(nn.Module):
    """The network F of an `ImageTransformerV2Config`."""

    def __init__(self, config: ImageTransformerV2Config) -> None:
        super().__init__()
        self.config = config
        levels, width = config.levels, config.mapping_width
        outer, inner = levels[:-1], levels[-1]
        places = [_places(*levels[0].size).double()]
        for _ in outer:  # a merged token is in the middle of its four
            places.append(functional.avg_pool2d(places[-1].permute(2, 0, 1), 2).permute(1, 2, 0))
        pairs = list(zip(outer, levels[1:], strict=True))
        self.patch_in = Merge(config.input_channels, levels[0].width, config.patch_size)
        self.time_emb = Fourier(1, width)
        self.time_in_proj = nn.Linear(width, width, bias=False)
        self.aug_emb = Fourier(_AUGMENTATIONS, width)
        self.aug_in_proj = nn.Linear(width, width, bias=False)
        if config.classes:
            self.class_emb = nn.Embedding(config.classes, width)
        self.mapping = Mapping(config)
        self.down_levels = nn.ModuleList(
            Level(level, width, place) for level, place in zip(outer, places, strict=False)
        )
        self.up_levels = nn.ModuleList(
            Level(level, width, place, level.depth)
            for level, place in zip(outer, places, strict=False)
        )
        self.mid_level = Level(inner, width, places[-1])
        self.merges = nn.ModuleList(Merge(high.width, low.width) for high, low in pairs)
        self.splits = nn.ModuleList(Split(low.width, high.width, True) for high, low in pairs)
        self.out_norm = Norm(levels[0].width)
        self.patch_out = Split(levels[0].width, config.input_channels, False, config.patch_size)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        """F of a batch.

        x: (n, input_channels, h, w). c_noise: (n,) or (1,). label: whole numbers (n,) or (1,) of
        a network with classes; ``None`` is no class.
        """
        embedding = self._embed(c_noise, label, x.dtype)
        h = self.patch_in(x.movedim(1, -1))
        skips: list[Tensor] = []
        for down, merge in zip(self.down_levels, self.merges, strict=True):
            h = down(h, embedding)
            skips.append(h)
            h = merge(h)
        h = self.mid_level(h, embedding)
        ways: Sequence[nn.Module] = list(self.up_levels)
        for up, split in zip(reversed(ways), reversed(list(self.splits)), strict=True):
            h = up(split(h, skips.pop()), embedding)
        result: Tensor = self.patch_out(self.out_norm(h))
        return result.movedim(-1, 1)

    def _embed(self, c_noise: Tensor, label: Tensor | None, dtype: torch.dtype) -> Tensor:
        unaugmented = c_noise.new_zeros(1, _AUGMENTATIONS)
        total = self.time_in_proj(self.time_emb(c_noise[:, None]).to(dtype))
        total = total + self.aug_in_proj(self.aug_emb(unaugmented).to(dtype))
        if self.config.classes:
            if label is None:
                label = torch.full((1,), self.config.classes - 1, device=c_noise.device)
            total = total + self.class_emb(label)
        result: Tensor = self.mapping(total)
        return result


def _wide(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _normed(x: Tensor, scale: Tensor) -> Tensor:
    wide = x.to(_wide(x))
    factor = scale.to(wide.dtype) * (wide.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
    return x * factor.to(x.dtype)


def _unit(x: Tensor) -> Tensor:
    wide = x.to(_wide(x))
    return wide * (wide.square().sum(-1, keepdim=True) + 1e-6).rsqrt()


def _rotated(x: Tensor, angles: Tensor) -> Tensor:
    """The first two quarters of the features as coordinates in planes, turned by ``angles``."""
    turned = angles.shape[-1]
    a, b, rest = x.split([turned, turned, x.shape[-1] - 2 * turned], dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([a * cos - b * sin, b * cos + a * sin, rest], dim=-1)


def _places(height: int, width: int) -> Tensor:
    """Centres of tokens, (h, w, 2): the longer side from -1 to 1, row before column."""
    # In float32, as the networks were trained.
    longest = max(height, width)
    rows, columns = (_centres(side / longest, side) for side in (height, width))
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)


def _centres(end: float, count: int) -> Tensor:
    edges = torch.linspace(-end, end, count + 1)
    return (edges[:-1] + edges[1:]) / 2


def _allowed(level: LevelConfig, shifted: bool) -> Tensor | None:
    """Which tokens (columns) a token (row) attends to; ``None``: all."""
    if level.attention in ("global", "none"):
        return None
    if level.attention == "neighborhood":
        rows, columns = (_neighbours(side, level.reach) for side in level.size)
    else:
        shift = level.reach // 2 if shifted else 0
        rows, columns = (_same_window(side, level.reach, shift) for side in level.size)
    tokens = level.size[0] * level.size[1]
    return (rows[:, None, :, None] & columns[None, :, None, :]).reshape(tokens, tokens)


def _neighbours(count: int, reach: int) -> Tensor:
    """The ``reach`` nearest of a line, of which there are as many at its ends."""
    index = torch.arange(count)
    start = (index - reach // 2).clamp(0, count - reach)[:, None]
    return (index >= start) & (index < start + reach)


def _same_window(count: int, size: int, shift: int) -> Tensor:
    """Windows of a line that was turned by ``shift``; what was carried over its end is apart."""
    turned = torch.arange(count) + shift
    window = turned % count // size
    group = 2 * window + (turned >= count)
    return group[:, None] == group
