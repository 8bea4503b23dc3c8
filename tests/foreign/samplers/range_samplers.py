"""Samplers that make their own levels of sigma_min and sigma_max, written for these tests."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor


def _levels(sigma_min: float, sigma_max: float, n: int, rho: float) -> list[float]:
    """Equal in ln s for rho = 0, else those of Karras et al. 2022, Eq. 5."""
    if rho == 0:
        return [sigma_max * (sigma_min / sigma_max) ** (i / n) for i in range(n + 1)]
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return [(high + i / n * (low - high)) ** rho for i in range(n + 1)]


def euler(
    model: Any,
    x: Tensor,
    sigma_min: float,
    sigma_max: float,
    n: int,
    extra_args: Any = None,
    callback: Any = None,
    disable: Any = None,
    rho: float = 0.0,
) -> Tensor:
    """Euler's method of n steps."""
    rows = x.new_ones([len(x)])
    for now, then in itertools.pairwise(_levels(sigma_min, sigma_max, n, rho)):
        x = x + (then - now) / now * (x - model(x, now * rows, **(extra_args or {})))
    return x


def heun(
    model: Any, x: Tensor, sigma_min: float, sigma_max: float, n: int, rho: float = 0.0
) -> Tensor:
    """Heun's method of n evaluations, or one less: half as many steps as the number says."""
    rows = x.new_ones([len(x)])
    for now, then in itertools.pairwise(_levels(sigma_min, sigma_max, max(1, n // 2), rho)):
        slope = (x - model(x, now * rows)) / now
        ahead = x + (then - now) * slope
        slope = (slope + (ahead - model(ahead, then * rows)) / then) / 2
        x = x + (then - now) * slope
    return x


def solver_12(
    model: Any,
    x: Tensor,
    sigma_min: float,
    sigma_max: float,
    extra_args: Any = None,
    callback: Any = None,
    disable: Any = None,
    rtol: float = 0.05,
    atol: float = 0.0078,
    h_init: float = 0.05,
    s_noise: float = 0.0,
    noise_sampler: Any = None,
) -> Tensor:
    """DPM-Solver-12 (Lu et al. 2022, Appendix C), with one error for the whole batch."""
    rows, size = x.new_ones([len(x)]), x.abs()
    now, end, h = -math.log(sigma_max), -math.log(sigma_min), h_init
    while now < end:
        step = min(h, end - now)
        then = end if step == end - now else now + step
        s, middle, last = (math.exp(-u) for u in (now, (now + then) / 2, then))
        eps = (x - model(x, s * rows)) / s
        inner = (x + (middle - s) * eps - model(x + (middle - s) * eps, middle * rows)) / middle
        low, high = x + (last - s) * eps, x + (last - s) * inner
        allowed = (rtol * torch.maximum(low.abs(), size)).clamp_min(atol)
        error = float(((high - low) / allowed).square().mean().sqrt())
        if error <= 1:
            z = noise_sampler(torch.tensor(s), torch.tensor(last))
            x, now, size = high + s_noise * last * z, then, low.abs()
        h = 0.9 * step * error**-0.5
    return x


def no_tolerance(model: Any, x: Tensor, sigma_min: float, sigma_max: float) -> Tensor:
    """Nothing says how far it steps."""
    return model(x, sigma_max * x.new_ones([len(x)]))
