"""Weak orders of stochastic samplers on a Gaussian, without Monte-Carlo noise.

On a Gaussian the denoiser is affine, so that x_N is an affine function of x_T and of all draws.
`bench.testing.propagated_moments` reads off every coefficient; mean and variance follow exactly.

The grids are chosen with care. On steps of equal ratio of s (``log_snr``; ``uniform_t`` under VE)
the leading error of Euler-Maruyama nearly cancels, and with few steps it looks like order 2.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from bench.api import (
    Corrector,
    NoiseProcess,
    NoiseStream,
    Predictor,
    Problem,
    Sampler,
    TimeGrid,
)
from bench.registry import Kind, build, load_registry
from bench.testing import Gaussian, convergence_slope, propagated_moments

S_MIN, S_MAX = 0.1, 10.0
MEAN, VARIANCE = 0.7, 0.3


gaussian = Gaussian(MEAN, VARIANCE).denoise


def _grid(name: str, **parameters: Any) -> TimeGrid:
    plugin = build(load_registry().get(name, Kind.GRID).cls, parameters)
    assert isinstance(plugin, TimeGrid)
    return plugin


GRIDS = [("karras", {"rho": 3.0}), ("quadratic", {})]
STEPS = {1: [250, 500, 1000], 2: [80, 160, 320], 3: [20, 40, 80]}
# Where the leading error is so small that it rules only on finer grids.
FINER = {"seeds_3": [320, 640]}


def _check_order(process: NoiseProcess, predictor: Predictor[Any], grid: TimeGrid) -> None:
    mean_errors, variance_errors = [], []
    counts = FINER.get(predictor.name, STEPS[predictor.order])
    for steps in counts:
        times = grid.times(process, steps, S_MIN, S_MAX)
        mean, variance = propagated_moments(process, Sampler(predictor, finish=False), times)
        end = times[-1]
        mean_errors.append(abs(mean - end.alpha * MEAN))
        variance_errors.append(abs(variance - end.alpha**2 * VARIANCE - end.sigma**2))
    assert convergence_slope(counts, variance_errors) > predictor.order - 0.1
    # Some methods carry the mean without any error.
    assert max(mean_errors) < 1e-12 or (
        convergence_slope(counts, mean_errors) > predictor.order - 0.1
    )


def test_predictors_have_the_weak_order_they_claim(
    process: NoiseProcess, predictor: Predictor[Any]
) -> None:
    _check_order(process, predictor, _grid("karras", rho=3.0))


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
    _check_order(process, predictor, _grid(grid_name, **parameters))


def test_moments_are_those_of_simulated_samples(predictor: Predictor[Any]) -> None:
    """The reading of coefficients itself, against 200,000 simulated samples."""
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    times = _grid("karras", rho=3.0).times(process, 6, S_MIN, S_MAX)
    mean, variance = propagated_moments(process, Sampler(predictor, finish=False), times)
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
        _, variance = propagated_moments(process, sampler, times)
        floor = exact / (1 - 0.16**2 * end.sigma**2 / exact)
        assert floor / exact - 1 == pytest.approx(0.0201, abs=1e-3)
        bias.append(variance / floor - 1)
    # The number of steps separates it from the floor, by less and less: a twentieth of 2 %.
    assert abs(bias[1]) < 0.8 * abs(bias[0])
    assert abs(bias[1]) < 0.001
