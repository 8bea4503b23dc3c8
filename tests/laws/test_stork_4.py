"""STORK-4: what is left of ROCK4's stages, and the order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import BenchError, NoiseProcess, Problem
from bench.testing import measured_order, ode_solver_of, process_of, stepper_of
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)

# ROCK4's coefficients (Abdulle 2002) with 5 and with 7 stages: of the recurrence, then of the
# finishing method's stages and of its result. Published with 15 digits, accurate to some 7.
FIVE = (
    (0.1762962957651941,),
    (-0.149352078672699, 0.629768962985252, -0.35520106157365),
    (0.0146745996307541, -0.0558517281602565, 0.590312931352706),
    (0.934502625489809, -0.426556402801135, -0.428612609028723, 0.744370090574855),
)
SEVEN = (
    (
        0.07296375286357569,
        0.08749824867149326,
        0.006126949805354446,
        0.1026802330400501,
        0.0302674477990085,
    ),
    (-0.182428104178289, 0.488581974232839, -0.243999027372673),
    (0.0403844469216897, -0.0621100542563179, 0.510891501054959),
    (0.671969568061243, -0.24732702729603, -0.348410422675722, 0.657516722491004),
)


def _rock4(velocity: Any, coefficients: tuple[tuple[float, ...], ...], start: Any) -> Any:
    """One step of ROCK4 over [0, 1] from ``start``; ``velocity`` is of time alone."""
    recurrence, first, third, result = coefficients
    c_2, c_1 = 0.0, recurrence[0]
    y_2, y_1 = start, start + recurrence[0] * velocity(0.0)
    for mu, kappa in zip(recurrence[1::2], recurrence[2::2], strict=True):
        y = mu * velocity(c_1) + (1 + kappa) * y_1 - kappa * y_2
        c_2, c_1 = c_1, mu + (1 + kappa) * c_1 - kappa * c_2
        y_2, y_1 = y_1, y
    nodes = (c_1, c_1 + first[0], c_1 + first[1] + first[2], c_1 + sum(third))
    return y_1 + sum(w * velocity(c) for w, c in zip(result, nodes, strict=True))


@pytest.mark.parametrize("coefficients", [FIVE, SEVEN])
def test_rock4_integrates_cubics_whatever_its_stages_are(coefficients: Any) -> None:
    for power in range(4):
        step = _rock4(lambda c, k=power: c**k, coefficients, 0.0)
        assert step == pytest.approx(1 / (power + 1), abs=1e-6)
    assert abs(_rock4(lambda c: c**4, coefficients, 0.0) - 0.2) > 1e-3


@pytest.mark.parametrize("coefficients", [FIVE, SEVEN])
@pytest.mark.parametrize("derivatives", [2, 3])
def test_the_step_is_that_of_the_stages_run_one_by_one(
    plane: Mixture, coefficients: Any, derivatives: int
) -> None:
    """With the polynomial through the last values by numpy, under rectified flow, where u is t."""
    process = process_of("rectified_flow")
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, plane.denoise)
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2))) * times[0].sigma
    expected, seen = x, list[Any]()
    for now, then in pairwise(times):
        value = problem.velocity(expected, now).numpy().ravel()
        seen = [*seen, (now.t, value)][-1 - derivatives :]
        h = then.t - now.t
        places = np.array([(t - now.t) / h for t, _ in seen])
        fit = np.polynomial.polynomial.polyfit(
            places, np.array([v for _, v in seen]), len(seen) - 1
        )
        end = _rock4(
            lambda c, fit=fit, h=h: h * np.polynomial.polynomial.polyval(c, fit),
            coefficients,
            expected.numpy().ravel(),
        )
        expected = torch.from_numpy(end.reshape(8, 2))
    ours = stepper_of("stork_4", derivatives=derivatives).solve(problem, x, times)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_every_process_gives_the_same_result(process: NoiseProcess, plane: Mixture) -> None:
    ends = []
    for each in (process, process_of("edm")):
        times = [each.at_s(s) for s in LEVELS]
        x = times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
        end = stepper_of("stork_4").solve(Problem(each, plane.denoise), x, times)
        ends.append(end / times[-1].alpha)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
def test_the_order_is_that_of_the_first_step_in_the_limit(
    process_name: str, grid_name: str
) -> None:
    solver = ode_solver_of("stork_4")
    found = measured_order(solver, process_name, grid_name, (640, 1280, 2560))
    assert solver.order == 2
    assert found == pytest.approx(2, abs=0.1)
    assert measured_order(solver, process_name, grid_name, (20, 40, 80)) > 2.9


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(BenchError, match="derivatives must be 2 or 3"):
        stepper_of("stork_4", derivatives=1)
