"""Linear combinations with as few kernels and allocations as torch allows."""

from __future__ import annotations

import torch
from torch import Tensor


def combine(first: tuple[float, Tensor], *rest: tuple[float, Tensor]) -> Tensor:
    """Sum of ``coefficient * tensor`` over the terms, in one new tensor; inputs stay untouched.

    One allocation and one kernel per term (one kernel for two terms whose coefficients add up to
    one). A readable formula stays a fast one: ``a * x - b * d`` in plain torch allocates three
    tensors.
    """
    if len(rest) == 1 and abs(first[0] + rest[0][0] - 1.0) < 1e-15:
        return torch.lerp(first[1], rest[0][1], rest[0][0])
    total = first[1] * first[0]
    for coefficient, tensor in rest:
        total.add_(tensor, alpha=coefficient)
    return total
