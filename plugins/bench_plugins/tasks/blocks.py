"""Row-wise products of matrices that do not depend on the batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bench.api import SHARD


def in_blocks(linear: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``linear(x)`` in blocks of ``SHARD`` rows, the last one filled up with zeros.

    Matrix products give other last bits for other numbers of rows; so each row has the same ones
    alone and in any batch.
    """
    count = len(x)
    if count == 0:
        return linear(x)
    spare = -count % SHARD
    padded = torch.cat([x, x.new_zeros(spare, *x.shape[1:])]) if spare else x
    return torch.cat([linear(block) for block in padded.split(SHARD)])[:count]
