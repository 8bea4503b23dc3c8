"""Weak orders of stochastic samplers on a Gaussian, without Monte-Carlo noise.

On a Gaussian the denoiser is affine, so that x_N is an affine function of x_T and of all draws.
One run over a batch of unit vectors reads off every coefficient: row 0 has no noise at all, row 1
has x_T = 1, row k + 2 has a one as its k-th draw. Mean and variance follow exactly.

The grids are chosen with care. On steps of equal ratio of s (``log_snr``; ``uniform_t`` under VE)
the leading error of Euler-Maruyama nearly cancels, and with few steps it looks like order 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import (
    Corrector,
    Denoiser,
    NoiseProcess,
    NoiseStream,
    Predictor,
    Problem,
    Sampler,
    Time,
    TimeGrid,
)
from bench.registry import Kind, build, load_registry

S_MIN, S_MAX = 0.1, 10.0
MEAN, VARIANCE = 0.7, 0.3


def gaussian(y: Tensor, s: Tensor) -> Tensor:
    """E[x_0 | y] for x_0 ~ N(MEAN, VARIANCE)."""
    return MEAN + VARIANCE / (VARIANCE + s * s) * (y - MEAN)


@dataclass
class UnitDraws:
    """Stands in for a noise stream: draw k is the unit vector of row k + 2."""

    rows: int
    drawn: int = 0

    def normal(self) -> Tensor:
        z = torch.zeros(self.rows, 1, dtype=torch.float64)
        if self.drawn + 2 < self.rows:
            z[self.drawn + 2] = 1.0
        self.drawn += 1
        return z


def _problem(process: NoiseProcess, model: Denoiser, noise: UnitDraws) -> Problem:
    return Problem(process, model, cast(NoiseStream, noise))


def moments(
    process: NoiseProcess, sampler: Sampler, times: tuple[Time, ...]
) -> tuple[float, float]:
    """Mean and variance of x at the last time, from the exact marginal at the first."""
    count = UnitDraws(2)
    sampler.run(_problem(process, gaussian, count), torch.zeros(2, 1).double(), times)
    noise = UnitDraws(count.drawn + 2)
    x = torch.zeros(noise.rows, 1, dtype=torch.float64)
    x[1] = 1.0
    end = sampler.run(_problem(process, gaussian, noise), x, times)[:, 0]
    slopes = (end[1:] - end[0]).numpy()
    first = times[0]
    mean = end[0].item() + slopes[0] * first.alpha * MEAN
    variance = slopes[0] ** 2 * (first.alpha**2 * VARIANCE + first.sigma**2)
    return mean, variance + float((slopes[1:] ** 2).sum())


def _grid(name: str, **parameters: Any) -> TimeGrid:
    plugin = build(load_registry().get(name, Kind.GRID).cls, parameters)
    assert isinstance(plugin, TimeGrid)
    return plugin


GRIDS = [("karras", {"rho": 3.0}), ("quadratic", {})]
STEPS = [250, 500, 1000]


def _check_order_one(process: NoiseProcess, predictor: Predictor[Any], grid: TimeGrid) -> None:
    mean_errors, variance_errors = [], []
    for steps in STEPS:
        times = grid.times(process, steps, S_MIN, S_MAX)
        mean, variance = moments(process, Sampler(predictor, finish=False), times)
        end = times[-1]
        mean_errors.append(abs(mean - end.alpha * MEAN))
        variance_errors.append(abs(variance - end.alpha**2 * VARIANCE - end.sigma**2))
    assert _slope(variance_errors) == pytest.approx(1, abs=0.1)
    # Some methods carry the mean without any error.
    assert max(mean_errors) < 1e-12 or _slope(mean_errors) == pytest.approx(1, abs=0.1)


def _slope(errors: list[float]) -> float:
    return float(-np.polyfit(np.log(STEPS), np.log(errors), 1)[0])


@pytest.mark.parametrize(("grid_name", "parameters"), GRIDS)
def test_predictors_have_weak_order_one(
    process: NoiseProcess,
    predictor: Predictor[Any],
    grid_name: str,
    parameters: dict[str, Any],
) -> None:
    _check_order_one(process, predictor, _grid(grid_name, **parameters))


@pytest.mark.parametrize(("grid_name", "parameters"), GRIDS)
def test_ancestral_with_the_forward_variance_has_weak_order_one(
    grid_name: str, parameters: dict[str, Any]
) -> None:
    process = load_registry().get("vp", Kind.PROCESS).cls()
    predictor = build(
        load_registry().get("ancestral", Kind.PREDICTOR).cls, {"forward_variance": True}
    )
    assert isinstance(process, NoiseProcess)
    assert isinstance(predictor, Predictor)
    _check_order_one(process, predictor, _grid(grid_name, **parameters))


def test_moments_are_those_of_simulated_samples(predictor: Predictor[Any]) -> None:
    """The reading of coefficients itself, against 200,000 simulated samples."""
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    times = _grid("karras", rho=3.0).times(process, 6, S_MIN, S_MAX)
    mean, variance = moments(process, Sampler(predictor, finish=False), times)
    count = 200_000
    generator = torch.Generator().manual_seed(5)

    class Draws:
        def normal(self) -> Tensor:
            return torch.randn(count, 1, generator=generator, dtype=torch.float64)

    first = times[0]
    spread = sqrt(first.alpha**2 * VARIANCE + first.sigma**2)
    x = first.alpha * MEAN + spread * Draws().normal()
    problem = Problem(process, gaussian, cast(NoiseStream, Draws()))
    x = Sampler(predictor, finish=False).run(problem, x, times)
    assert x.mean().item() == pytest.approx(mean, abs=5 * sqrt(variance / count))
    assert x.var().item() == pytest.approx(variance, rel=5 * sqrt(2 / count))


@pytest.mark.parametrize("predictor_name", ["reverse_diffusion", "ancestral"])
def test_predictor_corrector_converges_to_the_correctors_floor(
    process: NoiseProcess, predictor_name: str
) -> None:
    """Annealed Langevin leaves the variance too large by 1 / (1 - r^2 sigma^2 / V) for ever.

    V is the variance of the marginal: the chain x - (e/V) (x - m) + (2 e)^1/2 z with
    e = 2 r^2 sigma^2 is an AR(1) process with the variance 2 e / (1 - (1 - e/V)^2).
    """
    predictor = load_registry().get(predictor_name, Kind.PREDICTOR).cls()
    corrector = load_registry().get("annealed_langevin", Kind.CORRECTOR).cls()
    assert isinstance(predictor, Predictor)
    assert isinstance(corrector, Corrector)
    sampler = Sampler(predictor, corrector, finish=False)
    bias = []
    for steps in (800, 1600):
        times = _grid("karras", rho=3.0).times(process, steps, 1.0, S_MAX)
        end = times[-1]
        exact = end.alpha**2 * VARIANCE + end.sigma**2
        _, variance = moments(process, sampler, times)
        floor = exact / (1 - 0.16**2 * end.sigma**2 / exact)
        assert floor / exact - 1 == pytest.approx(0.0201, abs=1e-3)
        bias.append(variance / floor - 1)
    # The number of steps separates it from the floor, by less and less: a twentieth of 2 %.
    assert abs(bias[1]) < 0.8 * abs(bias[0])
    assert abs(bias[1]) < 0.001
