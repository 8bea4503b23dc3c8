"""EDM's stochastic sampler against the paper's algorithm, and what its noise is good for."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Predictor, Problem, Sampler, Time, TimeGrid
from bench.registry import Kind, build, load_registry
from bench.testing import Gaussian, measured_weak_order, propagated_moments
from bench_plugins.models.closed_form import Mixture

Array = npt.NDArray[np.float64]


class Recorded:
    """Stands in for a noise stream: fresh draws, kept for the other side."""

    def __init__(self) -> None:
        self.draws: list[Array] = []
        self._random = np.random.default_rng(8)

    def normal(self) -> Tensor:
        self.draws.append(self._random.standard_normal((16, 2)))
        return torch.from_numpy(self.draws[-1])


def _churn(**parameters: object) -> Predictor[Any]:
    plugin = build(load_registry().get("edm_churn", Kind.PREDICTOR).cls, parameters)
    assert isinstance(plugin, Predictor)
    return plugin


def _times(process: NoiseProcess, steps: int, low: float, high: float) -> tuple[Time, ...]:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    return grid.times(process, steps, low, high)


def _start(high: float) -> Array:
    return high * np.random.default_rng(2).standard_normal((16, 2))


def _algorithm_2(
    denoise: Callable[[Array, float], Array],
    x: Array,
    levels: Array,
    draws: list[Array],
    churn: float,
    window: tuple[float, float],
    noise: float,
) -> Array:
    """The paper's lines, down to the last level above zero; ``levels`` has its N entries."""
    count = len(levels)
    for i in range(count - 1):
        gamma = min(churn / count, sqrt(2) - 1) if window[0] <= levels[i] <= window[1] else 0.0
        hat = min(levels[i] + gamma * levels[i], levels[0])
        x_hat = x + sqrt(hat**2 - levels[i] ** 2) * noise * draws[i]
        slope = (x_hat - denoise(x_hat, hat)) / hat
        x = x_hat + (levels[i + 1] - hat) * slope
        slope_then = (x - denoise(x, levels[i + 1])) / levels[i + 1]
        x = x_hat + (levels[i + 1] - hat) * (slope + slope_then) / 2
    return x


@pytest.mark.parametrize(
    ("churn", "s_tmin", "s_tmax", "noise"),
    [(40.0, 0.05, 50.0, 1.003), (3.0, 0.3, 4.0, 1.0), (80.0, 0.0, 100.0, 1.0)],
)
def test_it_is_algorithm_2_in_normalised_coordinates(
    process: NoiseProcess,
    plane: Mixture,
    churn: float,
    s_tmin: float,
    s_tmax: float,
    noise: float,
) -> None:
    times, drawn = _times(process, 17, 0.03, 30.0), Recorded()
    problem = Problem(process, plane.denoise, cast(NoiseStream, drawn))
    stepper = _churn(churn=churn, s_tmin=s_tmin, s_tmax=s_tmax, noise=noise)
    ours = stepper.solve(problem, torch.from_numpy(_start(30.0)) * times[0].alpha, times)

    def denoise(y: Array, s: float) -> Array:
        return plane.denoise(torch.from_numpy(y), torch.tensor(s, dtype=torch.float64)).numpy()

    levels = np.array([now.s for now in times])
    window = s_tmin, s_tmax
    theirs = _algorithm_2(denoise, _start(30.0), levels, drawn.draws, churn, window, noise)
    np.testing.assert_allclose(ours.numpy() / times[-1].alpha, theirs, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("parameters", [{"churn": 0.0}, {"s_tmin": 60.0, "s_tmax": 70.0}])
def test_without_churn_it_is_edm_heun(
    process: NoiseProcess, plane: Mixture, parameters: dict[str, object]
) -> None:
    heun: Any = load_registry().get("edm_heun", Kind.ODE_SOLVER).cls()
    times = _times(process, 9, 0.03, 30.0)
    problem = Problem(process, plane.denoise, cast(NoiseStream, Recorded()))
    x = torch.from_numpy(_start(30.0)) * times[0].alpha
    assert torch.equal(_churn(**parameters).solve(problem, x, times), heun.solve(problem, x, times))


def test_the_network_is_asked_between_the_ends_alone(process: NoiseProcess, plane: Mixture) -> None:
    seen: list[float] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.append(float(s))
        return plane.denoise(y, s)

    times = _times(process, 40, 0.03, 30.0)
    problem = Problem(process, denoise, cast(NoiseStream, Recorded()))
    x = torch.from_numpy(_start(30.0)) * times[0].alpha
    _churn(s_tmin=0.0, s_tmax=100.0).solve(problem, x, times)
    assert len(seen) == 80
    assert max(seen) <= times[0].s * (1 + 1e-12)
    assert min(seen) >= times[-1].s * (1 - 1e-12)
    assert seen[2] > 1.3 * times[1].s or seen[2] == pytest.approx(times[0].s)  # it does go up


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_the_order_tends_to_that_of_heun(process_name: str) -> None:
    """Where the raise shrinks with the steps; below 97 of them it can not."""
    assert _churn().order == 1
    slope = measured_weak_order(_churn(), process_name, "karras", (250, 500, 1000))
    assert slope == pytest.approx(2, abs=0.1)
    slope = measured_weak_order(_churn(), process_name, "karras", (24, 48, 96))
    assert slope < 1.6


def test_inflated_noise_leaves_an_error_for_ever(process: NoiseProcess) -> None:
    inflated = _churn(noise=1.003)
    assert inflated.order == 0
    errors = []
    for steps in (400, 800):
        times = _times(process, steps, 0.1, 10.0)
        sampler = Sampler(inflated, finish=False)
        _, variance = propagated_moments(process, sampler, times)
        errors.append(variance / Gaussian().marginal(times[-1])[1] - 1)
    assert errors[1] > 0.9 * errors[0] > 1e-3
