"""The network of an `ImageTransformerV2Config`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.image_transformer_v2.attention import Attention
from bench_plugins.checkpoints.networks.image_transformer_v2.config import (
    ImageTransformerV2Config,
    LevelConfig,
)
from bench_plugins.checkpoints.networks.image_transformer_v2.layers import (
    FeedForward,
    Merge,
    Norm,
    Split,
)
from bench_plugins.checkpoints.networks.image_transformer_v2.places import (
    attention_mask,
    token_places,
)
from bench_plugins.checkpoints.networks.image_v1.fourier import Fourier

_AUGMENTATIONS = 9


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
        self.register_buffer("even_mask", attention_mask(level, shifted=False), persistent=False)
        self.register_buffer("odd_mask", attention_mask(level, shifted=True), persistent=False)

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
        places = [token_places(*levels[0].size).double()]
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
