"""The coordinates of flow matching, for every process."""

from __future__ import annotations

from torch import Tensor

from bench.api import Problem, Time, combine


def flow_time(now: Time) -> float:
    """u = sigma / (alpha + sigma), rectified flow's time at the same noise-to-signal ratio."""
    return now.sigma / (now.alpha + now.sigma)


def flow_velocity(problem: Problem, x: Tensor, now: Time) -> Tensor:
    """dz/du = eps - D of z = x / (alpha + sigma) = (1 - u) x_0 + u eps. One evaluation."""
    d = problem.denoise(x, now)
    return combine((1 / now.sigma, x), (-(now.alpha + now.sigma) / now.sigma, d))
