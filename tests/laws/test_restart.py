"""Restart sampling against the paper's algorithm, and what restarts do to errors."""

from __future__ import annotations

from math import sqrt
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    NoiseProcess,
    NoiseStream,
    Predictor,
    Problem,
    Sampler,
    Time,
    TimeGrid,
    UnsupportedError,
)
from bench.registry import Kind, ParameterError, build, load_registry
from bench.testing import Gaussian, measured_weak_order, process_of, propagated_moments
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


def _restart(**parameters: object) -> Predictor[Any]:
    plugin = build(load_registry().get("restart", Kind.PREDICTOR).cls, parameters)
    assert isinstance(plugin, Predictor)
    return plugin


def _times(process: NoiseProcess, steps: int, low: float, high: float) -> tuple[Time, ...]:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    return grid.times(process, steps, low, high)


def _levels(low: float, high: float, count: int) -> Array:
    ramp = np.linspace(0, 1, count)
    levels: Array = (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7
    return levels


def _start() -> Array:
    return 30 * np.random.default_rng(2).standard_normal((16, 2))


# The intervals of the paper's ImageNet-64 run of 203 evaluations: low, high, K, steps.
IMAGENET = [
    [19.35, 40.79, 1, 3],
    [1.09, 1.92, 1, 3],
    [0.59, 1.09, 5, 3],
    [0.30, 0.59, 5, 3],
    [0.06, 0.30, 6, 5],
]


@pytest.mark.parametrize(
    "intervals", [[[0.06, 0.3, 2, 2]], [[1.09, 1.92, 2, 3], [0.3, 0.59, 1, 4], [0.31, 2.0, 2, 1]]]
)
def test_it_is_the_papers_algorithm_in_normalised_coordinates(
    process: NoiseProcess, plane: Mixture, intervals: list[list[float]]
) -> None:
    steps, drawn = 17, Recorded()
    times = _times(process, steps, 0.01, 30.0)
    problem = Problem(process, plane.denoise, cast(NoiseStream, drawn))
    stepper = _restart(intervals=intervals)
    ours = stepper.solve(problem, torch.from_numpy(_start()) * times[0].alpha, times)
    draws = iter(drawn.draws)

    def heun(x: Array, now: float, then: float) -> Array:
        def slope(y: Array, s: float) -> Array:
            level = torch.tensor(s, dtype=torch.float64)
            rate: Array = (y - plane.denoise(torch.from_numpy(y), level).numpy()) / s
            return rate

        first = slope(x, now)
        end: Array = x + (then - now) * (first + slope(x + (then - now) * first, then)) / 2
        return end

    x, main = _start(), _levels(0.01, 30.0, steps + 1)
    at = [int(np.argmin(np.abs(main - low))) for low, *_ in intervals]
    for i in range(steps):
        x = heun(x, main[i], main[i + 1])
        for place, (_, high, repeats, inner) in zip(at, intervals, strict=True):
            if place != i + 1:
                continue
            back = _levels(main[i + 1], high, int(inner) + 1)
            for _ in range(int(repeats)):
                x = x + sqrt(high**2 - main[i + 1] ** 2) * next(draws)
                for j in range(int(inner)):
                    x = heun(x, back[j], back[j + 1])
    assert next(draws, None) is None
    np.testing.assert_allclose(ours.numpy() / times[-1].alpha, x, rtol=1e-7, atol=1e-7)


def test_without_intervals_it_is_edm_heun(process: NoiseProcess, plane: Mixture) -> None:
    heun: Any = load_registry().get("edm_heun", Kind.ODE_SOLVER).cls()
    times = _times(process, 9, 0.03, 30.0)
    problem = Problem(process, plane.denoise)
    x = torch.from_numpy(_start()) * times[0].alpha
    ours = _restart(intervals=[]).solve(problem, x, times)
    assert torch.equal(ours, heun.solve(problem, x, times))


@pytest.mark.parametrize(
    ("intervals", "points", "nfe"),
    [
        ([[0.06, 0.30, 2, 2]], 18, 43),
        ([[0.06, 0.30, 10, 2]], 18, 75),
        (IMAGENET, 36, 203),
    ],
)
def test_costs_are_those_of_the_paper(
    plane: Mixture, intervals: list[list[float]], points: int, nfe: int
) -> None:
    """N_main grid points are N_main - 1 steps and the final denoise."""
    sampler = Sampler(_restart(intervals=intervals, main_points=points))
    assert sampler.cost(points - 1) == nfe
    model = CountedDenoiser(plane.denoise)
    process = process_of("edm")
    times = _times(process, points - 1, 0.002, 80.0)
    problem = Problem(process, model, cast(NoiseStream, Recorded()))
    sampler.run(problem, torch.from_numpy(_start()), times)
    assert model.evaluations.nfe(16) == nfe


@pytest.mark.parametrize("repeats", [1, 3])
def test_restarts_shrink_what_went_wrong_before(process: NoiseProcess, repeats: int) -> None:
    """On a Gaussian each way back takes a displacement of y by ((V + l^2) / (V + h^2))^1/2."""
    gaussian, low, high = Gaussian(), 0.5, 3.0
    times = process.at_s(20.0), process.at_s(low)

    def displacement(stepper: Predictor[Any]) -> float:
        x = torch.zeros(16, 2, dtype=torch.float64)
        ends = [
            stepper.solve(
                Problem(process, gaussian.denoise, cast(NoiseStream, Recorded())), start, times
            )
            for start in (x, x + 1.0)
        ]
        shift = ends[1] - ends[0]
        assert float(shift.std()) < 1e-9
        return float(shift.mean())

    restarted = _restart(intervals=[[low, high, repeats, 200]], main_points=0)
    ratio = displacement(restarted) / displacement(_restart(intervals=[]))
    shrinking = (gaussian.variance + low**2) / (gaussian.variance + high**2)
    assert ratio == pytest.approx(shrinking ** (repeats / 2), rel=1e-4)


@pytest.mark.parametrize("grid_name", ["karras", "quadratic"])
@pytest.mark.parametrize("intervals", [[[0.06, 0.3, 2, 2]], [[0.3, 1.0, 5, 2], [0.5, 2.0, 2, 3]]])
def test_the_weak_order_is_two_if_the_way_back_grows_finer(
    grid_name: str, intervals: list[list[float]]
) -> None:
    stepper = _restart(intervals=intervals)
    assert stepper.order == 2
    assert measured_weak_order(stepper, "vp", grid_name, (40, 80, 160)) > 1.9


def test_a_way_back_of_fixed_steps_is_a_floor(process: NoiseProcess) -> None:
    fixed = _restart(main_points=0)
    assert fixed.order == 0
    errors = []
    for steps in (160, 320):
        times = _times(process, steps, 0.06, 10.0)
        _, variance = propagated_moments(process, Sampler(fixed, finish=False), times)
        errors.append(abs(variance / Gaussian().marginal(times[-1])[1] - 1))
    assert errors[1] > 0.8 * errors[0] > 1e-5


@pytest.mark.parametrize(("low", "high"), [(0.3, 20.0), (0.05, 0.2)])
def test_a_grid_that_does_not_pass_the_interval_is_refused(low: float, high: float) -> None:
    process = process_of("vp")
    stepper = _restart(intervals=[[low, high, 1, 2]])
    with pytest.raises(UnsupportedError, match="does not pass the restart interval"):
        stepper.start(_times(process, 10, 0.25, 10.0))


@pytest.mark.parametrize(
    "interval", [[0.3, 0.06, 2, 2], [0.0, 0.3, 2, 2], [0.06, 0.3, 0, 2], [0.06, 0.3, 2, 0]]
)
def test_intervals_are_checked(interval: list[float]) -> None:
    with pytest.raises(ParameterError, match="an interval must have"):
        _restart(intervals=[interval])
