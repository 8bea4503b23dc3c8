"""Adaptive solvers against scipy, and where the flow hardly moves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from bench.api import AdaptiveOdeSolver, CountedDenoiser, NoiseProcess, Problem, rows_of
from bench.registry import Kind, build, load_registry
from bench.testing import process_of
from bench_plugins.models.closed_form import Mixture

# Our name of each pair and scipy's of the same or a like one.
PEERS = {"dopri5": "RK45", "bosh3": "RK23", "dopri8": "DOP853", "rk45": "RK45", "tsit5": "RK45"}


@pytest.mark.parametrize("process_name", ["vp", "subvp", "edm", "rectified_flow"])
@pytest.mark.parametrize("name", PEERS)
def test_result_is_that_of_scipy(name: str, process_name: str, plane: Mixture) -> None:
    process = process_of(process_name)
    solver = build(load_registry().get(name, Kind.ODE_SOLVER).cls, {"rtol": 1e-8})
    assert isinstance(solver, AdaptiveOdeSolver)
    problem = Problem(process, plane.denoise)
    start, end = process.at_s(10.0), process.at_s(0.1)
    x = start.sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((12, 2)))

    def drift(t: float, flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        points = torch.from_numpy(flat.reshape(-1, 2))
        now = process.at(float(t))
        score = (now.alpha * plane.denoise(points / now.alpha, torch.tensor(now.s)) - points) / (
            now.sigma**2
        )
        return (now.f * points - 0.5 * now.g2 * score).numpy().ravel()

    path = solve_ivp(
        drift, (start.t, end.t), x.numpy().ravel(), method=PEERS[name], rtol=1e-8, atol=1e-8
    )
    ours = solver.solve(problem, x, (start, end))
    np.testing.assert_allclose(ours.numpy().ravel(), path.y[:, -1], rtol=0, atol=3e-6)


def test_dopri5_costs_about_what_scipys_rk45_does(plane: Mixture) -> None:
    """The same pair of formulas; the step-size controllers differ a little."""
    process = process_of("vp")
    solver = build(load_registry().get("dopri5", Kind.ODE_SOLVER).cls, {"rtol": 1e-6})
    assert isinstance(solver, AdaptiveOdeSolver)
    model = CountedDenoiser(plane.denoise)
    problem = Problem(process, model)
    start, end = process.at_s(10.0), process.at_s(0.1)
    x = start.sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((12, 2)))

    def drift(t: float, flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        points = torch.from_numpy(flat.reshape(-1, 2))
        return problem.velocity(points, process.at(float(t))).numpy().ravel()

    path = solve_ivp(
        drift, (start.t, end.t), x.numpy().ravel(), method="RK45", rtol=1e-6, atol=1e-6
    )
    assert model.evaluations.nfe(12) == path.nfev
    model.evaluations.rows = 0
    solver.solve(problem, x, (start, end))
    assert model.evaluations.nfe(12) == pytest.approx(path.nfev, rel=0.5)


def test_grid_points_between_the_ends_make_no_difference(
    adaptive_solver: AdaptiveOdeSolver, line: Mixture
) -> None:
    process = process_of("vp")
    problem = Problem(process, line.denoise)
    times = [process.at_s(s) for s in (10.0, 3.0, 0.4, 0.1)]
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    whole = adaptive_solver.solve(problem, x, times)
    assert torch.equal(whole, adaptive_solver.solve(problem, x, (times[0], times[-1])))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_standardised_data_under_a_variance_preserving_process(
    adaptive_solver: AdaptiveOdeSolver, dtype: torch.dtype
) -> None:
    """N(0, 1) stays N(0, 1): the flow stands still, and no solver may leave the interval."""

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        return y / (1 + rows_of(s, y) ** 2)

    solver = build(type(adaptive_solver), {adaptive_solver.ladder: 1e-5})
    x = torch.linspace(-2, 2, 9, dtype=dtype)[:, None]
    for name in ("vp", "vp_cosine"):
        process = process_of(name)
        times = process.at_s(80.0), process.at_s(0.002)
        for path in (times, times[::-1]):
            end = solver.solve(Problem(process, denoise), x, path)
            torch.testing.assert_close(end, x, rtol=0, atol=2e-3)


def test_no_evaluation_lies_outside_the_interval(
    process: NoiseProcess, adaptive_solver: AdaptiveOdeSolver, plane: Mixture
) -> None:
    seen: list[float] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.extend(s.flatten().tolist())
        return plane.denoise(y, s)

    times = process.at_s(10.0), process.at_s(0.1)
    x = times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((12, 2)))
    adaptive_solver.solve(Problem(process, denoise), x, times)
    assert min(seen) >= times[1].s * (1 - 1e-12)
    assert max(seen) <= times[0].s * (1 + 1e-12)
