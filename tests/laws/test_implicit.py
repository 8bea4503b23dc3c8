"""Implicit Runge-Kutta methods: their order conditions, their sweeps, their cost."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from bench.api import BenchError, Problem
from bench.testing import (
    measured_nfe,
    measured_order,
    ode_solver_of,
    process_of,
    stepper_of,
)
from bench_plugins.odes.implicit import ImplicitRungeKutta

METHODS = {"gauss": (4, 2), "radau_iia": (5, 3), "lobatto_iiic": (4, 2)}
"""Order, and the order of the stages."""


def _method(name: str, **parameters: Any) -> ImplicitRungeKutta:
    return cast(ImplicitRungeKutta, stepper_of(name, **parameters))


@pytest.mark.parametrize("name", METHODS)
def test_coefficients_satisfy_butchers_simplifying_assumptions(name: str) -> None:
    """B(p): sum b c^(k-1) = 1/k; C(q): sum_j a_ij c_j^(k-1) = c_i^k / k; D(p - q) (II.7)."""
    tableau, (order, stage_order) = _method(name).tableau, METHODS[name]
    a, b, c = (np.array(rows) for rows in (tableau.a, tableau.b, tableau.c))
    for k in range(1, order + 1):
        assert b @ c ** (k - 1) == pytest.approx(1 / k, abs=1e-14)
    assert abs(b @ c**order - 1 / (order + 1)) > 1e-4
    for k in range(1, stage_order + 1):
        np.testing.assert_allclose(a @ c ** (k - 1), c**k / k, atol=1e-14)
    for k in range(1, order - stage_order + 1):
        np.testing.assert_allclose((b * c ** (k - 1)) @ a, b * (1 - c**k) / k, atol=1e-14)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
@pytest.mark.parametrize("name", METHODS)
def test_orders_are_those_claimed(name: str, process_name: str, grid_name: str) -> None:
    solver = ode_solver_of(name)
    assert solver.order == METHODS[name][0]
    found = measured_order(solver, process_name, grid_name)
    assert found == pytest.approx(solver.order, abs=0.15)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("sweeps", [1, 2])
def test_each_sweep_adds_one_to_the_order(name: str, sweeps: int) -> None:
    solver = ode_solver_of(name, sweeps=sweeps)
    assert solver.order == sweeps + 1
    assert measured_order(solver, "edm", "log_snr") == pytest.approx(sweeps + 1, abs=0.15)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("sweeps", [1, 4])
def test_the_declared_cost_is_the_measured_one(name: str, sweeps: int) -> None:
    solver = _method(name, sweeps=sweeps)
    for steps in (1, 2, 5):
        cost = steps * (1 + sweeps * len(solver.tableau.b))
        assert measured_nfe(solver, steps) == solver.cost(steps) == cost


@pytest.mark.parametrize("name", METHODS)
def test_many_sweeps_reach_the_implicit_solution(name: str) -> None:
    """On D = 0 under EDM dx/dt = x / t: the stages solve a linear system, here by numpy."""
    solver, process = _method(name, sweeps=60), process_of("edm")
    now, then = process.at(1.0), process.at(0.8)
    problem = Problem(process, lambda y, s: torch.zeros_like(y))
    x = torch.ones(1, 1, dtype=torch.float64)
    end, _ = solver.step(problem, x, now, then, None)
    a, b, c = (np.array(v) for v in (solver.tableau.a, solver.tableau.b, solver.tableau.c))
    h, rate = -0.2, 1 / (1 - 0.2 * c)
    slopes = np.linalg.solve(np.eye(len(b)) - h * rate[:, None] * a, rate)
    assert float(end) == pytest.approx(1 + h * b @ slopes, rel=1e-13)


def test_gauss_undoes_its_own_step() -> None:
    solver, process = _method("gauss", sweeps=60), process_of("edm")
    problem = Problem(process, lambda y, s: torch.sin(y))
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    now, then = process.at(1.0), process.at(0.8)
    there, _ = solver.step(problem, x, now, then, None)
    back, _ = solver.step(problem, there, then, now, None)
    torch.testing.assert_close(back, x, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_no_sweep_is_refused(name: str) -> None:
    with pytest.raises(BenchError, match="sweeps must be >= 1"):
        stepper_of(name, sweeps=0)
