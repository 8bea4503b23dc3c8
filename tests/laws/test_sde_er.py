"""ER-SDE-Solver against the paper's formulas, integrated by scipy."""

from __future__ import annotations

from itertools import pairwise
from math import exp, sqrt
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Predictor, Problem
from bench.registry import Kind, build, load_registry

LEVELS = (20.0, 9.0, 4.0, 1.0, 0.3, 0.29, 0.02)


def phi(v: float) -> float:
    return v * (exp(v**0.3) + 10)


class Draws:
    """Noise that is kept."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(4)
        self.last = torch.empty(0)

    def normal(self) -> Tensor:
        self.last = torch.from_numpy(self._random.standard_normal((8, 2)))
        return self.last


def _solver(highest: int) -> Predictor[Any]:
    solver = build(load_registry().get("er_sde", Kind.PREDICTOR).cls, {"highest": highest})
    assert isinstance(solver, Predictor)
    return solver


@pytest.mark.parametrize("highest", [1, 2, 3])
def test_er_sde_is_the_papers_series(process: NoiseProcess, highest: int) -> None:
    """The authors' form of the integrals, after integration by parts:

    I_1 = s_then - s_now + phi_then int dv / phi and
    I_2 = (s_then - s_now)^2 / 2 + phi_then int (v - s_now) dv / phi, from s_then to s_now.
    """
    times = [process.at_s(s) for s in LEVELS]
    random, noise = np.random.default_rng(6), Draws()
    values = [torch.from_numpy(random.standard_normal((8, 2))) for _ in LEVELS]
    given = iter(values)
    problem = Problem(process, lambda y, s: next(given), cast(NoiseStream, noise))
    solver = _solver(highest)
    x, state = torch.from_numpy(random.standard_normal((8, 2))), solver.start(times)
    for i, (now, then) in enumerate(pairwise(times)):
        y = x / now.alpha
        x, state = solver.step(problem, x, now, then, state)
        r, step = phi(then.s) / phi(now.s), then.s - now.s
        expected = r * y + (1 - r) * values[i]
        if i >= 1 and highest >= 2:
            slope = (values[i] - values[i - 1]) / (now.s - LEVELS[i - 1])
            area = quad(lambda v: 1 / phi(v), then.s, now.s, epsabs=1e-13, epsrel=1e-12)[0]
            expected = expected + (step + phi(then.s) * area) * slope
        if i >= 2 and highest >= 3:
            earlier = (values[i - 1] - values[i - 2]) / (LEVELS[i - 1] - LEVELS[i - 2])
            bend = 2 * (slope - earlier) / (now.s - LEVELS[i - 2])
            moment = quad(lambda v: (v - now.s) / phi(v), then.s, now.s, epsabs=1e-13)[0]  # noqa: B023
            expected = expected + (step**2 / 2 + phi(then.s) * moment) * bend
        expected = expected + sqrt(then.s**2 - (r * now.s) ** 2) * noise.last
        torch.testing.assert_close(x, then.alpha * expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("highest", [2, 3])
def test_er_sde_is_exact_where_d_is_a_line_in_s(highest: int) -> None:
    """y_then = r y + phi_then int phi' / phi^2 D dv + noise, whatever the length of the step."""
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    times, noise = [process.at_s(s) for s in LEVELS], Draws()
    problem = Problem(process, lambda y, s: 0 * y + 1.0 + 0.2 * s, cast(NoiseStream, noise))
    solver = _solver(highest)
    x, state = torch.zeros(8, 2, dtype=torch.float64), solver.start(times)

    def integrand(w: float) -> float:
        """D over w = 1 / phi(v), v by bisection: dw = -phi' / phi^2 dv."""
        low, high = 0.01, 30.0
        for _ in range(60):
            mid = sqrt(low * high)
            low, high = (low, mid) if 1 / phi(mid) < w else (mid, high)
        return 1.0 + 0.2 * low

    for i, (now, then) in enumerate(pairwise(times)):
        y, r = x / now.alpha, phi(then.s) / phi(now.s)
        x, state = solver.step(problem, x, now, then, state)
        area = quad(integrand, 1 / phi(now.s), 1 / phi(then.s), epsrel=1e-10)[0]
        spread = sqrt(then.s**2 - (r * now.s) ** 2)
        expected = r * y + phi(then.s) * area + spread * noise.last
        if i >= 1:
            torch.testing.assert_close(x, then.alpha * expected, rtol=1e-7, atol=1e-7)
