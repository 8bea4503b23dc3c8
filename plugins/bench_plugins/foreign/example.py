"""The functions that `function` and `adaptive_function` run by default."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

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


def adaptive_heun(
    model: Callable[..., Tensor],
    x: Tensor,
    sigma_min: float,
    sigma_max: float,
    extra_args: Mapping[str, Any] | None = None,
    rtol: float = 0.05,
) -> Tensor:
    """Heun's method in ln s, with steps by its distance to Euler's: k-diffusion's signature.

    Args:
        model: D(x, s, **extra_args), s of shape (n,).
        x: x_0 + s eps at the first level, shape (n, *shape).
        sigma_min: the last level.
        sigma_max: the first level.
        extra_args: further arguments of the model.
        rtol: relative tolerance of the batch's root mean square; 0.156 rtol is the absolute one.

    Raises:
        ValueError: the model's values are not finite.
    """
    one, extra = x.new_ones(len(x)), extra_args or {}
    now, last, h = math.log(sigma_max), math.log(sigma_min), 0.05
    while now > last:
        then = max(last, now - h)
        slope = x - model(x, math.exp(now) * one, **extra)
        ahead = x + (then - now) * slope
        gap = (then - now) / 2 * (ahead - model(ahead, math.exp(then) * one, **extra) - slope)
        error = float((gap / (rtol * x.abs()).clamp_min(0.156 * rtol)).square().mean().sqrt())
        if not math.isfinite(error):
            raise ValueError("the model's values are not finite")
        if error <= 1:
            x, now = ahead + gap, then
        h *= min(5.0, 0.9 * max(error, 1e-9) ** -0.5)
    return x
