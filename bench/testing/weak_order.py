"""The measured weak order of a stochastic step, without Monte-Carlo noise.

On a Gaussian the denoiser is affine, so that x_N is an affine function of x_T and of all draws.
One run over a batch of unit vectors reads off every coefficient: row 0 has no noise at all, row 1
has x_T = 1, row k + 2 has a one as its k-th draw. Mean and variance follow exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.noise import NoiseStream
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.sample import Sampler
from bench.core.solver import Stepper
from bench.testing.order import convergence_slope
from bench.testing.plugins import grid_of, process_of

S_MIN, S_MAX = 0.1, 10.0

_STEPS = {1: (250, 500, 1000), 2: (80, 160, 320), 3: (160, 320, 640)}


@dataclass(frozen=True)
class Gaussian:
    """N(mean, variance) on the line; its denoiser is affine."""

    mean: float = 0.7
    variance: float = 0.3

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y]."""
        return self.mean + self.variance / (self.variance + s * s) * (y - self.mean)

    def marginal(self, now: Time) -> tuple[float, float]:
        """Mean and variance of x at ``now``."""
        return now.alpha * self.mean, now.alpha**2 * self.variance + now.sigma**2


@dataclass
class _UnitDraws:
    """Stands in for a noise stream: draw k is the unit vector of row k + 2."""

    rows: int
    drawn: int = 0

    def normal(self) -> Tensor:
        z = torch.zeros(self.rows, 1, dtype=torch.float64)
        if self.drawn + 2 < self.rows:
            z[self.drawn + 2] = 1.0
        self.drawn += 1
        return z

    def uniform(self) -> Tensor:
        raise BenchError("moments cannot be propagated through a sampler that draws uniform noise")


def propagated_moments(
    process: NoiseProcess, sampler: Sampler, times: Sequence[Time], data: Gaussian | None = None
) -> tuple[float, float]:
    """Mean and variance of x at the last time, from the exact marginal at the first.

    Exact for samplers that are affine in x and in their draws (no norms, no acceptance steps).
    """
    data = data or Gaussian()

    def run(x: Tensor, noise: _UnitDraws) -> Tensor:
        problem = Problem(process, data.denoise, cast(NoiseStream, noise))
        return sampler.run(problem, x, times)

    count = _UnitDraws(2)
    run(torch.zeros(2, 1, dtype=torch.float64), count)
    noise = _UnitDraws(count.drawn + 2)
    x = torch.zeros(noise.rows, 1, dtype=torch.float64)
    x[1] = 1.0
    end = run(x, noise)[:, 0]
    slopes = end[1:] - end[0]
    mean, variance = data.marginal(times[0])
    return (
        float(end[0] + slopes[0] * mean),
        float(slopes[0] ** 2 * variance + slopes[1:].square().sum()),
    )


def default_steps(order: int) -> Sequence[int]:
    """Numbers of steps that suit a claimed weak order."""
    return _STEPS.get(order, (20, 40, 80))


def measured_weak_order(
    stepper: Stepper[Any],
    process: str = "vp",
    grid: str = "quadratic",
    steps: Sequence[int] | None = None,
) -> float:
    """The weak order of ``stepper`` on a Gaussian: the smaller slope of mean and variance errors.

    Args:
        stepper: a stochastic step that is affine in x and in its draws.
        process: name of a plugin.
        grid: name of a plugin. Choose it with care: on steps of equal ratio of s (``log_snr``) the
            leading error of Euler-Maruyama nearly cancels and looks like order 2.
        steps: numbers of steps; by default suited to the order that the stepper claims.
    """
    noise_process, time_grid = process_of(process), grid_of(grid)
    counts = steps or default_steps(stepper.order)
    errors: list[tuple[float, float]] = []
    for count in counts:
        times = time_grid.times(noise_process, count, S_MIN, S_MAX)
        found = propagated_moments(noise_process, Sampler(stepper, finish=False), times)
        exact = Gaussian().marginal(times[-1])
        errors.append((abs(found[0] - exact[0]), abs(found[1] - exact[1])))
    # Some methods carry the mean without any error.
    columns = [column for column in zip(*errors, strict=True) if max(column) > 1e-12]
    if not columns:
        raise BenchError("the sampler is exact on a Gaussian; no order can be measured on it")
    return min(convergence_slope(counts, column) for column in columns)
