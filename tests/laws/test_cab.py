"""CAB: the formula of the authors written out, the methods that it is a case of, the order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError, NoiseProcess, Problem, Stepper
from bench.testing import measured_order, ode_solver_of, process_of, stepper_of
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)
EVEN = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0)


def _end(
    stepper: Stepper[Any], process: NoiseProcess, plane: Mixture, levels: tuple[float, ...] = LEVELS
) -> Tensor:
    times = [process.at_s(s) for s in levels]
    x = times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
    return stepper.solve(Problem(process, plane.denoise), x, times) / times[-1].alpha


@pytest.mark.parametrize("highest", [2, 3])
@pytest.mark.parametrize("theta", [0.2, 0.9])
def test_the_formula_written_out(plane: Mixture, highest: int, theta: float) -> None:
    """In y and s, Adams-Bashforth as the integral of numpy's polynomial."""
    y = LEVELS[0] * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
    levels, values = list[float](), list[Any]()
    for s, s_then in pairwise(LEVELS):
        eps = ((y - plane.denoise(y, torch.tensor(s, dtype=torch.float64))) / s).numpy().ravel()
        levels, values = [*levels, s], [*values, eps]
        used = min(highest, len(levels))
        fit = np.polynomial.polynomial.polyfit(
            np.array(levels[-used:]) - s, np.array(values[-used:]), used - 1
        )
        whole = np.polynomial.polynomial.polyint(fit, axis=0)
        move = np.polynomial.polynomial.polyval(s_then - s, whole)
        if len(levels) >= 3:
            ratio = (levels[-1] - levels[-2]) / (levels[-2] - levels[-3])
            foreseen = (1 + ratio) * values[-2] - ratio * values[-3]
            move = move + theta * (s_then - s) * (eps - foreseen)
        y = y + torch.from_numpy(move.reshape(8, 2))
    ours = _end(stepper_of("cab", highest=highest, theta=theta), process_of("edm"), plane)
    torch.testing.assert_close(ours, y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("highest", [2, 3])
def test_without_the_correction_it_is_adams_bashforth(plane: Mixture, highest: int) -> None:
    process = process_of("vp")
    ours = _end(stepper_of("cab", theta=0.0, highest=highest), process, plane)
    other = _end(stepper_of("lms", highest=highest), process, plane)
    torch.testing.assert_close(ours, other, rtol=1e-9, atol=1e-9)


def test_on_equal_steps_five_twelfths_are_one_order_more(plane: Mixture) -> None:
    process = process_of("edm")
    ours = _end(stepper_of("cab", theta=5 / 12), process, plane, EVEN)
    other = _end(stepper_of("lms", highest=3), process, plane, EVEN)
    torch.testing.assert_close(ours, other, rtol=1e-9, atol=1e-9)


def test_every_process_gives_the_same_result(process: NoiseProcess, plane: Mixture) -> None:
    ends = [_end(stepper_of("cab"), each, plane) for each in (process, process_of("edm"))]
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
@pytest.mark.parametrize("parameters", [{}, {"highest": 3}])
def test_the_order_is_two(parameters: dict[str, Any], process_name: str, grid_name: str) -> None:
    solver = ode_solver_of("cab", **parameters)
    found = measured_order(solver, process_name, grid_name, (160, 320, 640))
    assert found == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"highest": 4}, "highest must be 2 or 3"), ({"theta": -0.1}, "theta must be >= 0")],
)
def test_wrong_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of("cab", **parameters)
