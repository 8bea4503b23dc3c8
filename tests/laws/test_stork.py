"""STORK-2: what its virtual stages amount to."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError, NoiseProcess, Problem, Stepper
from bench.testing import measured_order, ode_solver_of, process_of, stepper_of
from bench_plugins.flow.stork import taylor_weights
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)


def _end(stepper: Stepper[Any], process: NoiseProcess, plane: Mixture) -> Tensor:
    times = [process.at_s(s) for s in LEVELS]
    x = times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
    return stepper.solve(Problem(process, plane.denoise), x, times) / times[-1].alpha


def _rkg_step(velocity: Any, stages: int, code: bool) -> float:
    """One step of RKG2 over [0, 1] from 0 with the authors' loop; ``velocity`` is of time alone."""

    def b(j: int) -> float:
        return (
            (1.0, 1 / 3)[j]
            if j < 2
            else 4 * (j - 1) * (j + 4) / 3 / j / (j + 1) / (j + 2) / (j + 3)
        )

    y_2 = y_1 = 0.0
    for j in range(1, stages + 1):
        wide = 6 / ((stages + 4) * (stages - 1))
        if j == 1:
            y = wide * velocity(0.0)
        else:
            if code:  # of Runge-Kutta-Legendre
                total = stages**2 + stages - 2
                c = 4 / 3 / total if j == 2 else ((j - 1) ** 2 + (j - 1) - 2) / total
            else:
                k, total = j - 1, (stages + 4) * (stages - 1)
                c = 6 / total if j == 2 else (k - 1) * (k + 4) / total
            mu = (2 * j + 1) * b(j) / (j * b(j - 1))
            nu = -(j + 1) * b(j) / (j * b(j - 2))
            gamma = -mu * wide * (1 - j * (j + 1) * b(j - 1) / 2)
            y = mu * y_1 + nu * y_2 + mu * wide * velocity(c) + gamma * velocity(0.0)
        y_2, y_1 = y_1, y
    return float(y)


@pytest.mark.parametrize("code", [False, True])
@pytest.mark.parametrize("stages", [3, 7, 50])
def test_weights_are_those_of_the_stages_run_one_by_one(stages: int, code: bool) -> None:
    found = taylor_weights(stages, code)
    for weight, law in zip(found, (lambda c: 1.0, lambda c: c, lambda c: c * c / 2), strict=True):
        assert weight == pytest.approx(_rkg_step(law, stages, code), rel=1e-9)


@pytest.mark.parametrize("stages", [3, 10, 50])
def test_with_its_own_nodes_the_method_has_order_two(stages: int) -> None:
    value, slope, bend = taylor_weights(stages, False)
    assert (value, slope) == pytest.approx((1.0, 0.5), rel=1e-9)
    assert bend < 0.126  # Taylor's is 1/6
    assert taylor_weights(stages, True)[1] < 0.495


@pytest.mark.parametrize("stages", [3, 50])
def test_stork_2_is_adams_bashforth(plane: Mixture, stages: int) -> None:
    process = process_of("rectified_flow")
    ours = _end(stepper_of("stork_2", stages=stages), process, plane)
    other = _end(stepper_of("adams_bashforth", highest=2), process, plane)
    torch.testing.assert_close(ours, other, rtol=1e-9, atol=1e-9)


def test_two_derivatives_are_those_of_the_parabola_through_three_values(plane: Mixture) -> None:
    """By numpy's polynomials in u, step by step."""
    process = process_of("rectified_flow")
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, plane.denoise)
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2))) * times[0].sigma
    expected, seen = x, list[Any]()
    for now, then in pairwise(times):
        seen = [*seen, (now.t, problem.velocity(expected, now).numpy().ravel())][-3:]
        h, (_, slope, bend) = then.t - now.t, taylor_weights(20, False)
        points = np.array([t for t, _ in seen]) - now.t
        fit = np.polynomial.polynomial.polyfit(
            points / h, np.array([v for _, v in seen]), len(seen) - 1
        )
        wanted = sum(w * f for w, f in zip((1.0, slope, 2 * bend), fit, strict=False))
        expected = expected + h * torch.from_numpy(wanted.reshape(8, 2))
    ours = stepper_of("stork_2", stages=20, derivatives=2).solve(problem, x, times)
    torch.testing.assert_close(ours, expected, rtol=1e-8, atol=1e-8)


def test_every_process_gives_the_same_result(process: NoiseProcess, plane: Mixture) -> None:
    ends = [_end(stepper_of("stork_2"), each, plane) for each in (process, process_of("edm"))]
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
@pytest.mark.parametrize(
    ("parameters", "steps", "slack"),
    [
        ({}, (160, 320, 640), 0.1),
        ({"derivatives": 2}, (320, 640, 1280), 0.3),  # what is missing of 1/6 is little
        ({"legendre_nodes": True, "stages": 5}, (640, 1280), 0.1),
    ],
)
def test_orders_are_those_claimed(
    parameters: dict[str, Any],
    steps: tuple[int, ...],
    slack: float,
    process_name: str,
    grid_name: str,
) -> None:
    solver = ode_solver_of("stork_2", **parameters)
    assert solver.order == (1 if "legendre_nodes" in parameters else 2)
    found = measured_order(solver, process_name, grid_name, steps)
    assert found == pytest.approx(solver.order, abs=slack)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"stages": 2}, "stages must"), ({"derivatives": 3}, "derivatives must")],
)
def test_wrong_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of("stork_2", **parameters)
