"""DPM-Solvers where their results are known in closed form, and where two of them are one.

A network whose eps or D is a polynomial in lambda alone makes the ODE an integral: with
dy/ds = eps, y' = y + int eps ds, and in the other variable (x / sigma)' = e^lambda D.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from bench.api import BenchError, NoiseProcess, OdeSolver, Problem, Time, TimeGrid
from bench.registry import Kind, load_registry
from bench.testing import measured_order, ode_solver_of
from bench_plugins.models.closed_form import Mixture

Law = Callable[[float], float]

FIXED = [
    "dpm_solver_2",
    "dpm_solver_3",
    "dpm_solver_multistep",
    "dpm_fast",
    "dpmpp_2m",
    "dpmpp_2s",
    "dpmpp_3m",
    "dpmpp_fast",
]


def _process(name: str = "vp") -> NoiseProcess:
    process = load_registry().get(name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    return process


def _times(process: NoiseProcess, steps: int) -> tuple[Time, ...]:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    return grid.times(process, steps, 0.1, 10.0)


def _path(
    solver: OdeSolver[Any], problem: Problem, x: Tensor, times: Sequence[Time]
) -> list[Tensor]:
    """x at each point of the grid."""
    state, path = solver.start(times), [x]
    for now, then in pairwise(times):
        x, state = solver.step(problem, x, now, then, state)
        path.append(x)
    return path


def _with_eps(process: NoiseProcess, eps: Law) -> Problem:
    return Problem(process, lambda y, s: y - s * eps(-math.log(float(s))))


def _with_d(process: NoiseProcess, d: Law) -> Problem:
    return Problem(process, lambda y, s: torch.full_like(y, d(-math.log(float(s)))))


def _exact_eps(eps: Law, x: Tensor, now: Time, then: Time) -> Tensor:
    moved = quad(lambda lam: -math.exp(-lam) * eps(lam), now.lam, then.lam, epsabs=1e-13)[0]
    return then.alpha * (x / now.alpha + moved)


def _exact_d(d: Law, x: Tensor, now: Time, then: Time) -> Tensor:
    moved = quad(lambda lam: math.exp(lam) * d(lam), now.lam, then.lam, epsabs=1e-13)[0]
    return then.sigma * (x / now.sigma + moved)


def _x() -> Tensor:
    return torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("back", [False, True])
def test_one_data_point_is_solved_exactly(process: NoiseProcess, name: str, back: bool) -> None:
    """There D and eps are both constant along the path."""
    times = _times(process, 7)
    times = times[::-1] if back else times
    end = ode_solver_of(name).solve(_with_d(process, lambda _: 0.7), _x(), times)
    eps = (_x() - times[0].alpha * 0.7) / times[0].sigma
    torch.testing.assert_close(end, times[-1].alpha * 0.7 + times[-1].sigma * eps)


@pytest.mark.parametrize("name", FIXED)
def test_every_process_gives_the_same_result(
    process: NoiseProcess, name: str, plane: Mixture
) -> None:
    y = torch.linspace(-9, 9, 10, dtype=torch.float64).reshape(5, 2)
    ends = []
    for each in (process, _process("edm")):
        times = _times(each, 7)
        problem = Problem(each, plane.denoise)
        ends.append(ode_solver_of(name).solve(problem, times[0].alpha * y, times) / times[-1].alpha)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-8)


LAWS: dict[int, Law] = {1: lambda lam: 2.0 - lam, 2: lambda lam: 2.0 - lam + 0.3 * lam**2}


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(
    ("name", "degree", "exact_after"),
    [
        ("dpm_solver_3", 1, [1, 2, 3, 4, 5]),
        ("dpm_fast", 1, [2, 3, 5]),  # 5 steps are groups of 3 and 2
        ("dpm_fast", 2, [3]),
        ("dpmpp_fast", 1, [2, 3, 5]),
        ("dpmpp_fast", 2, [3]),
    ],
)
def test_predictions_of_low_degree_in_lambda_are_integrated_exactly(
    name: str, degree: int, exact_after: list[int], back: bool
) -> None:
    process, law = _process(), LAWS[degree]
    times = _times(process, 5)
    times = times[::-1] if back else times
    data = name.startswith("dpmpp")
    problem = (_with_d if data else _with_eps)(process, law)
    path = _path(ode_solver_of(name), problem, _x(), times)
    for i in range(1, 6):
        exact = (_exact_d if data else _exact_eps)(law, _x(), times[0], times[i])
        assert torch.allclose(path[i], exact, rtol=1e-10, atol=1e-10) == (i in exact_after)


def test_3m_gives_the_second_difference_half_of_its_weight() -> None:
    """As in the authors' code: on D = lambda^2 the fourth step misses just the other half."""
    process = _process()
    times = _times(process, 6)
    path = _path(ode_solver_of("dpmpp_3m"), _with_d(process, LAWS[2]), _x(), times)
    for now, then, x, end in zip(times[2:], times[3:], path[2:], path[3:], strict=False):
        h = then.lam - now.lam
        missed = then.alpha * (0.5 - (math.expm1(-h) + h) / h**2) * 0.3 * h**2
        torch.testing.assert_close(end + missed, _exact_d(LAWS[2], x, now, then))


def _same(first: OdeSolver[Any], second: OdeSolver[Any], plane: Mixture, steps: int = 6) -> bool:
    process = _process()
    times, problem = _times(process, steps), Problem(process, plane.denoise)
    x = times[0].sigma * torch.linspace(-1, 1, 10, dtype=torch.float64).reshape(5, 2)
    a, b = (solver.solve(problem, x, times) for solver in (first, second))
    return torch.allclose(a, b, rtol=1e-10, atol=1e-10)


def test_methods_that_are_one(plane: Mixture) -> None:
    """With one step to go, or few, the higher methods are the lower ones."""
    ddim = ode_solver_of("ddim")
    assert _same(ode_solver_of("dpm_solver_multistep", highest=1), ddim, plane)
    for name in ("dpmpp_2m", "dpmpp_3m", "dpm_fast", "dpmpp_fast"):
        assert _same(ode_solver_of(name), ddim, plane, steps=1)
        assert not _same(ode_solver_of(name), ddim, plane, steps=2)
    assert _same(ode_solver_of("dpmpp_3m"), ode_solver_of("dpmpp_2m"), plane, steps=2)
    assert not _same(ode_solver_of("dpmpp_3m"), ode_solver_of("dpmpp_2m"), plane, steps=3)
    assert _same(ode_solver_of("dpmpp_3m", lower_order_final=True), ddim, plane, steps=1)
    for name in ("dpmpp_2m", "dpmpp_3m", "dpm_solver_multistep"):
        assert _same(ode_solver_of(name, lower_order_final=True), ddim, plane, steps=2)
        assert not _same(
            ode_solver_of(name, lower_order_final=True), ode_solver_of(name), plane, steps=3
        )


@pytest.mark.parametrize(("name", "parameter"), [("dpm_solver_2", "r1"), ("dpmpp_2s", "r")])
def test_order_2_holds_wherever_the_second_evaluation_lies(name: str, parameter: str) -> None:
    for share in (0.2, 1.0):
        order = measured_order(ode_solver_of(name, **{parameter: share}), steps=(40, 80, 160))
        assert order == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("name", ["dpm_fast", "dpmpp_fast"])
def test_fast_solvers_have_order_3_where_they_end_in_a_group_of_two(name: str) -> None:
    solver = ode_solver_of(name)
    for grid in ("karras", "log_snr"):
        assert measured_order(solver, grid=grid, steps=(41, 80, 161)) > 2.85


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("dpm_solver_2", {"r1": 0.0}),
        ("dpm_solver_2", {"r1": 1.1}),
        ("dpmpp_2s", {"r": 0.0}),
        ("dpm_solver_multistep", {"highest": 4}),
        ("dpm_adaptive_12", {"rtol": 0.0}),
        ("dpm_adaptive_12", {"atol": 0.0}),
        ("dpm_adaptive_23", {"h_init": 0.0}),
        ("dpm_adaptive_23", {"theta": 1.0}),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, parameters: dict[str, object]) -> None:
    with pytest.raises(BenchError, match=f"{next(iter(parameters))} must"):
        ode_solver_of(name, **parameters)
