"""GITS: the dynamic programme against brute force, and what its grids are worth."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    CountedDenoiser,
    Draw,
    NoiseProcess,
    Problem,
    Time,
    TimeGrid,
    UnsupportedError,
    karras_times,
)
from bench.registry import Kind, build, load_registry
from bench.testing import LineMixture, process_of, stepper_of
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.gits.grid import Gits, _costs, cheapest
from bench_plugins.models.closed_form import Mixture

S_MIN, S_MAX = 0.02, 40.0


def _cell(denoise: Any, steps: int, process: str = "vp", **draw: Any) -> Calibration:
    values = {"seed": 0, "samples": 5, "batch": 5, "shape": (1,), "dtype": torch.float64}
    model = CountedDenoiser(denoise)
    return Calibration(process_of(process), model, S_MIN, S_MAX, steps, Draw(**{**values, **draw}))


def _times(cell: Calibration, **parameters: Any) -> tuple[Time, ...]:
    grid = build(Gits, parameters).calibrate(cell)
    return grid.times(cell.process, cell.steps, cell.s_min, cell.s_max)


@pytest.mark.parametrize("gamma", [0.8, 1.0, 1.15, 2.0])
@pytest.mark.parametrize("points", [2, 3, 6, 9])
def test_the_path_is_the_cheapest_of_all(points: int, gamma: float) -> None:
    random = np.random.default_rng(points)
    costs = random.random((points, points))
    for steps in range(1, points):
        found = cheapest(costs, steps, gamma)

        def total(path: tuple[int, ...]) -> float:
            pairs = itertools.pairwise(path)
            return sum(gamma**k * float(costs[i, j]) for k, (i, j) in enumerate(pairs))

        inner = itertools.combinations(range(1, points - 1), steps - 1)
        best = min(((0, *chosen, points - 1) for chosen in inner), key=total)
        assert found == list(best)


def test_costs_are_distances_of_eulers_steps_from_the_path_of_ipndm_v(plane: Mixture) -> None:
    process, teacher = process_of("vp"), stepper_of("ipndm_v")
    problem, fine = Problem(process, plane.denoise), karras_times(process, 9, S_MIN, S_MAX)
    x = fine[0].sigma * torch.from_numpy(np.random.default_rng(0).standard_normal((6, 2)))
    path, state = [x], teacher.start(fine)
    for now, then in itertools.pairwise(fine):
        end, state = teacher.step(problem, path[-1], now, then, state)
        path.append(end)
    wanted = np.zeros((10, 10))
    for i, j in itertools.combinations(range(10), 2):
        now, then = fine[i], fine[j]
        euler = path[i] / now.alpha + (then.s - now.s) * problem.eps(path[i], now)
        wanted[i, j] = (euler - path[j] / then.alpha).norm(dim=1).sum()
    np.testing.assert_allclose(_costs(problem, x, fine), wanted, rtol=1e-9, atol=1e-9)


def test_as_many_steps_as_the_fine_grid_has_are_the_fine_grid() -> None:
    cell = _cell(LineMixture().denoise, 20)
    karras = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(karras, TimeGrid)
    assert _times(cell, fine_steps=20) == karras.times(cell.process, 20, S_MIN, S_MAX)


@pytest.mark.parametrize("steps", [1, 2, 5, 12])
def test_noise_falls_strictly_between_exact_ends(process: NoiseProcess, steps: int) -> None:
    cell = _cell(LineMixture().denoise, steps, process.name)
    times = _times(cell)
    assert len(times) == steps + 1
    assert (times[0], times[-1]) == (process.at_s(S_MAX), process.at_s(S_MIN))
    assert all(now.s > then.s for now, then in itertools.pairwise(times))


def test_all_processes_get_the_same_levels(process: NoiseProcess) -> None:
    denoise = LineMixture().denoise
    ours, edm = (_times(_cell(denoise, 7, name)) for name in (process.name, "edm"))
    np.testing.assert_allclose([p.s for p in ours], [p.s for p in edm], rtol=1e-8)


def _gaussian(y: Tensor, s: Tensor) -> Tensor:
    return 0.7 + 0.3 / (0.3 + s * s) * (y - 0.7)


@pytest.mark.parametrize("steps", [5, 6, 7, 8])
@pytest.mark.parametrize("other", ["karras", "log_snr"])
def test_ddim_errs_less_than_on_grids_that_do_not_know_the_data(steps: int, other: str) -> None:
    mixture = LineMixture()
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    start, exact = mixture.quantile(u, S_MAX), mixture.quantile(u, S_MIN)
    grid = load_registry().get(other, Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    cell = _cell(mixture.denoise, steps)

    def error(times: tuple[Time, ...]) -> float:
        problem = Problem(cell.process, mixture.denoise)
        end = DDIM().solve(problem, start * times[0].alpha, times) / times[-1].alpha
        return float((end - exact).square().mean().sqrt())

    assert error(_times(cell)) < 0.75 * error(grid.times(cell.process, steps, S_MIN, S_MAX))


def test_ddim_errs_less_on_a_gaussian_too() -> None:
    """There the flow is known: y - m shrinks as the marginal's standard deviation."""
    cell = _cell(_gaussian, 6)
    start = torch.tensor([[S_MAX], [-S_MAX]], dtype=torch.float64)
    exact = 0.7 + (start - 0.7) * ((0.3 + S_MIN**2) / (0.3 + S_MAX**2)) ** 0.5
    errors = []
    for name in ("gits", "karras", "log_snr"):
        grid = load_registry().get(name, Kind.GRID).cls()
        assert isinstance(grid, TimeGrid)
        times = grid.calibrate(cell).times(cell.process, 6, S_MIN, S_MAX)
        problem = Problem(cell.process, _gaussian)
        end = DDIM().solve(problem, start * times[0].alpha, times) / times[-1].alpha
        errors.append(float((end - exact).abs().max()))
    assert errors[0] < 0.75 * min(errors[1:])


@pytest.mark.parametrize(("samples", "fine_steps"), [(64, 60), (1, 7), (150, 11)])
def test_calibration_costs_one_evaluation_for_each_sample_and_step(
    samples: int, fine_steps: int, plane: Mixture
) -> None:
    cell = _cell(plane.denoise, 4, shape=(2,))
    _times(cell, samples=samples, fine_steps=fine_steps)
    assert cell.model.evaluations.rows == samples * fine_steps


def test_the_grid_depends_on_seed_and_data_and_on_nothing_else(plane: Mixture) -> None:
    def levels(seed: int = 0, **draw: Any) -> list[float]:
        cell = _cell(plane.denoise, 8, seed=seed, shape=(2,), **draw)
        return [time.s for time in _times(cell, samples=40)]

    assert levels() == levels(samples=1000, batch=256)
    noise = [
        next(_cell(plane.denoise, 8, seed=seed, shape=(2,)).starts(3))[1] for seed in (0, 0, 1)
    ]
    assert torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[0], noise[2])


def test_uncalibrated_it_has_no_times() -> None:
    with pytest.raises(BenchError, match="must be calibrated first"):
        Gits().times(process_of("vp"), 5, S_MIN, S_MAX)


def test_more_steps_than_the_fine_grid_has_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="chooses 11 steps among fine_steps = 10"):
        Gits(fine_steps=10).calibrate(_cell(LineMixture().denoise, 11))


def test_a_teacher_that_diverges_is_reported() -> None:
    with pytest.raises(BenchError, match="not finite"):
        Gits().calibrate(_cell(lambda y, s: y * float("nan"), 5))


def test_other_grids_need_no_calibration(grid: TimeGrid) -> None:
    cell = _cell(LineMixture().denoise, 5)
    assert grid.calibrate(cell) is grid
    assert cell.model.evaluations.rows == 0
