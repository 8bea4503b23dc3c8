"""Measured orders of convergence of the ODE solvers.

On the line the flow of the probability-flow ODE keeps the order of points, so that it is the
quantile map between the marginals: y_0 = F_0^-1(F_T(y_T)) is the exact result for every sample.
Errors are medians over samples: a mean is ruled by the few samples that start next to a
boundary between two Gaussians.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from bench.api import (
    AdaptiveOdeSolver,
    NoiseProcess,
    OdeSolver,
    Problem,
    TimeGrid,
)
from bench.registry import Kind, build, load_registry
from bench.testing import LineMixture, convergence_slope
from bench_plugins.models.closed_form import Mixture

S_MIN, S_MAX = 0.05, 20.0


@pytest.fixture(scope="module")
def transport() -> tuple[Tensor, Tensor]:
    """Points at noise level S_MAX and where the exact flow takes them at S_MIN, both (61, 1)."""
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    exact = LineMixture()  # the mixture of the fixture ``line``, in another implementation
    return exact.quantile(u, S_MAX), exact.quantile(u, S_MIN)


# Enough steps for the leading term of the error to rule, few enough to stay above round-off.
STEPS = {1: [160, 320, 640], 2: [80, 160, 320], 4: [80, 120, 160, 240]}
# Their terms of order 2 are small, so that higher ones show for long.
STEPS_OF = {
    "dpmpp_3m": [160, 320, 640],
    "ipndm": [320, 640, 1280],
    "adams_bashforth": [320, 640, 1280],
    "deis_tab": [320, 640, 1280],
}


def _steps(solver: OdeSolver[Any]) -> list[int]:
    return STEPS_OF.get(solver.name, STEPS.get(solver.order, [40, 80, 160]))


def _at_least(order: int) -> float:
    """Slopes may lie above the claim: where a low order at the start has not come through yet."""
    return order - 0.1


def _anywhere(order: int) -> float:
    """What a method that starts at low order keeps on every grid and in both directions."""
    return min(order, 2) - 0.1


def test_fixed_solvers_have_the_order_they_claim(
    process: NoiseProcess,
    fixed_solver: OdeSolver[Any],
    line: Mixture,
    transport: tuple[Tensor, Tensor],
) -> None:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    start, exact = transport
    problem = Problem(process, line.denoise)
    counts = _steps(fixed_solver)
    errors = _errors(problem, fixed_solver, grid, counts, start, exact)
    assert min(errors) > 1e-13
    assert convergence_slope(counts, errors) > _at_least(fixed_solver.order)


# Grids with long steps of ln s at large or small noise: the leading term rules later.
LATE = {"uniform_t", "quadratic", "cosine", "flow_shift"}


def test_fixed_solvers_have_their_order_on_every_grid(
    smooth_grid: TimeGrid,
    fixed_solver: OdeSolver[Any],
    line: Mixture,
    transport: tuple[Tensor, Tensor],
) -> None:
    process = load_registry().get("rectified_flow", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    start, exact = transport
    more = 2 if smooth_grid.name in LATE else 1
    counts = [more * steps for steps in _steps(fixed_solver)]
    problem = Problem(process, line.denoise)
    errors = _errors(problem, fixed_solver, smooth_grid, counts, start, exact)
    assert min(errors) > 1e-13
    assert convergence_slope(counts, errors) > _anywhere(fixed_solver.order)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
def test_fixed_solvers_have_their_order_in_the_plane(
    process_name: str, fixed_solver: OdeSolver[Any], grid_name: str, plane: Mixture
) -> None:
    """Against scipy's DOP853 on dy/d(ln s) = y - D(y; s)."""
    process = load_registry().get(process_name, Kind.PROCESS).cls()
    grid = load_registry().get(grid_name, Kind.GRID).cls()
    assert isinstance(process, NoiseProcess)
    assert isinstance(grid, TimeGrid)
    start, exact = _plane_flow(plane)
    counts = _steps(fixed_solver)
    errors = _errors(Problem(process, plane.denoise), fixed_solver, grid, counts, start, exact)
    assert min(errors) > 1e-12
    assert convergence_slope(counts, errors) > _at_least(fixed_solver.order)


def test_going_back_and_forth_returns_at_the_solvers_order(
    fixed_solver: OdeSolver[Any], line: Mixture, transport: tuple[Tensor, Tensor]
) -> None:
    """Solvers run in both directions of time: noise from data, and data from that noise."""
    process = load_registry().get("vp", Kind.PROCESS).cls()
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(process, NoiseProcess)
    assert isinstance(grid, TimeGrid)
    noise, data = transport
    problem = Problem(process, line.denoise)
    counts = _steps(fixed_solver)
    encoded, returned = [], []
    for steps in counts:
        times = grid.times(process, steps, S_MIN, S_MAX)
        up = fixed_solver.solve(problem, data * times[-1].alpha, times[::-1])
        encoded.append(float((up / times[0].alpha - noise).abs().median()))
        down = fixed_solver.solve(problem, up, times)
        returned.append(float((down / times[-1].alpha - data).abs().median()))
    assert convergence_slope(counts, encoded) > _anywhere(fixed_solver.order)
    # The errors of both ways may cancel and leave a higher order, never a lower one.
    assert convergence_slope(counts, returned) > _anywhere(fixed_solver.order)


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_errors_of_adaptive_solvers_follow_the_tolerance(
    process_name: str,
    adaptive_solver: AdaptiveOdeSolver,
    line: Mixture,
    transport: tuple[Tensor, Tensor],
) -> None:
    process = load_registry().get(process_name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    start, exact = transport
    problem = Problem(process, line.denoise)
    times = process.at_s(S_MAX), process.at_s(S_MIN)
    errors = []
    low = adaptive_solver.order < 3  # where steps are many
    tolerances = [1e-3, 1e-4, 1e-5, 1e-6] if low else [1e-3, 1e-5, 1e-7, 1e-9]
    for tolerance in tolerances:
        solver = build(type(adaptive_solver), {adaptive_solver.ladder: tolerance})
        end = solver.solve(problem, start * times[0].alpha, times) / times[-1].alpha
        errors.append(float((end - exact).abs().median()))
    assert all(coarse > fine for coarse, fine in itertools.pairwise(errors))
    assert all(e < 10 * t for e, t in zip(errors, tolerances, strict=True))


def _errors(
    problem: Problem,
    solver: OdeSolver[Any],
    grid: TimeGrid,
    counts: list[int],
    start: Tensor,
    exact: Tensor,
) -> list[float]:
    """Median error per sample, in normalised coordinates, for each number of steps."""
    errors = []
    for steps in counts:
        times = grid.times(problem.process, steps, S_MIN, S_MAX)
        end = solver.solve(problem, start * times[0].alpha, times) / times[-1].alpha
        errors.append(float((end - exact).norm(dim=1).median()))
    return errors


@lru_cache(maxsize=1)
def _plane_flow(plane: Mixture) -> tuple[Tensor, Tensor]:
    random = np.random.default_rng(7)
    start = torch.from_numpy(S_MAX * random.standard_normal((48, 2)))

    def slope(log_s: float, y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        points = torch.from_numpy(y.reshape(-1, 2))
        s = torch.tensor(math.exp(log_s), dtype=torch.float64)
        return (points - plane.denoise(points, s)).numpy().ravel()

    span = math.log(S_MAX), math.log(S_MIN)
    path = solve_ivp(slope, span, start.numpy().ravel(), method="DOP853", rtol=1e-12, atol=1e-13)
    return start, torch.from_numpy(path.y[:, -1].reshape(-1, 2))
