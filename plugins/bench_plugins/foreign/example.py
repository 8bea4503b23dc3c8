"""An example of the plain signature: the function that `function` runs by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor


def euler(x: Tensor, denoise: Callable[[Tensor, float], Tensor], levels: Sequence[float]) -> Tensor:
    """Euler's method in s: Karras et al. 2022, Algorithm 1 without its correction.

    Args:
        x: x_0 + s eps at the first level, shape (n, *shape).
        denoise: D(x, s), shape of x.
        levels: noise-to-signal ratios s, falling.
    """
    for now, then in pairwise(levels):
        x = x + (then - now) / now * (x - denoise(x, now))
    return x
