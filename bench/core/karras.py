"""Karras et al. 2022 (arXiv:2206.00364): the noise levels and Heun's step, as many methods use."""

from __future__ import annotations

from torch import Tensor

from bench.core.combine import combine
from bench.core.grid import times_at_levels, unit_interval
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time


def karras_times(
    process: NoiseProcess, steps: int, s_min: float, s_max: float, rho: float = 7.0
) -> tuple[Time, ...]:
    """steps + 1 points from ``s_max`` down to ``s_min``, uniform in s^(1/rho) (Eq. 5)."""
    high, low = s_max ** (1 / rho), s_min ** (1 / rho)
    inner = (high + unit_interval(steps)[1:-1] * (low - high)) ** rho
    return process.at_s(s_max), *times_at_levels(process, inner), process.at_s(s_min)


def karras_heun(problem: Problem, x: Tensor, now: Time, then: Time) -> Tensor:
    """Heun's step on dy/ds = (y - D) / s, y = x / alpha (Algorithm 1). Two evaluations.

    With r = s_then / s_now, Euler's y' = r y + (1 - r) D gives D' = D(y'; s_then); the mean of both
    slopes is y_then = r y + (1 - r) ((1 - c) D + c D') with c = 1 / (2 r).
    """
    r = then.s / now.s
    keep = r * then.alpha / now.alpha
    gain = (1 - r) * then.alpha
    d = problem.denoise(x, now)
    d_then = problem.denoise(combine((keep, x), (gain, d)), then)
    c = 0.5 / r
    return combine((keep, x), (gain * (1 - c), d), (gain * c, d_then))
