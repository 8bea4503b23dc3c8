"""Tokens of a level: their places, and which of them attend to which."""

from __future__ import annotations

import torch
from torch import Tensor

from bench_plugins.checkpoints.networks.image_transformer_v2.config import LevelConfig


def token_places(height: int, width: int) -> Tensor:
    """Centres of tokens, (h, w, 2): the longer side from -1 to 1, row before column."""
    # In float32, as the networks were trained.
    longest = max(height, width)
    rows, columns = (_centres(side / longest, side) for side in (height, width))
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)


def _centres(end: float, count: int) -> Tensor:
    edges = torch.linspace(-end, end, count + 1)
    return (edges[:-1] + edges[1:]) / 2


def attention_mask(level: LevelConfig, shifted: bool) -> Tensor | None:
    """Mask of the tokens (columns) that a token (row) attends to; ``None``: all."""
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
