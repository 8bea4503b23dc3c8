"""Network calls in pieces of fixed size."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_shards(
    network: Callable[..., Tensor], y: Tensor, s: Tensor, *each: Tensor, shard: int
) -> Tensor:
    """``network(y, s, *each)`` on at most ``shard`` rows at a time.

    Args:
        network: keeps the shape of y.
        y: (n, *shape).
        s: () or (n,).
        each: further arguments with a row for each of y's.
        shard: rows.
    """
    if y.shape[0] <= shard:
        return network(y, s, *each)
    result = torch.empty_like(y)
    for rows in shard_slices(y.shape[0], shard):
        level = s if s.ndim == 0 else s[rows]
        result[rows] = network(y[rows], level, *(item[rows] for item in each))
    return result


def shard_slices(count: int, shard: int) -> list[slice]:
    """Slices of at most ``shard`` rows that cover ``count`` rows in order."""
    return [slice(start, min(start + shard, count)) for start in range(0, count, shard)]
