"""Codes of the probability-flow ODE: closed forms, orders of round trips, uniqueness."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import (
    CountedDenoiser,
    Draw,
    Model,
    NoiseProcess,
    OdeSolver,
    Sampler,
    Trial,
)
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.dpm.pp2m import DpmSolverPP2M
from bench_plugins.edm.grid import Karras
from bench_plugins.edm.heun import EdmHeun
from bench_plugins.edm.process import EDM
from bench_plugins.latents.agreement import CodeAgreement
from bench_plugins.latents.coder import Coder
from bench_plugins.latents.converged import encode_by_kutta
from bench_plugins.latents.round_trip import RoundTrip
from bench_plugins.models.mixture import GaussianMixture
from bench_plugins.odes.euler import Euler
from bench_plugins.odes.heun import Heun
from bench_plugins.odes.heun3 import Heun3
from bench_plugins.odes.rk4 import RK4
from bench_plugins.odes.rk45 import RK45
from bench_plugins.score_sde.processes import VE, VP, SubVP

S_MIN, S_MAX, STD = 0.002, 80.0, 0.7
GAUSSIAN = GaussianMixture(means=((0.0, 0.0),), stds=(STD,), weights=None)


def _trial(
    model: Model, solver: OdeSolver[Any], steps: int, process: NoiseProcess | None = None
) -> Trial:
    loaded, process = model.load(torch.device("cpu"), torch.float64), process or EDM()
    times = Karras().times(process, steps, S_MIN, S_MAX)
    return Trial(
        loaded, process, Sampler(solver), times, Draw(3, 32, 32, loaded.shape, torch.float64)
    )


def _values(numbers: Any) -> dict[str, float]:
    return {number.metric: number.value for number in numbers}


def test_codes_of_a_gaussian_are_its_points_scaled() -> None:
    """dy/ds = s y / (c^2 + s^2): y grows by the ratio of the marginals' standard deviations."""
    trial = _trial(GAUSSIAN, RK4(), 256)
    counted = CountedDenoiser(trial.model.denoiser)
    y = trial.draw.standard_prior(0, 32)
    scale = math.hypot(STD, S_MAX) / math.hypot(STD, S_MIN) / S_MAX
    coder = Coder.of(trial, "test")
    torch.testing.assert_close(coder.encode(counted, y), y * scale, rtol=1e-7, atol=0)
    torch.testing.assert_close(coder.decode(counted, y), y / scale, rtol=1e-7, atol=0)
    kutta = encode_by_kutta(counted, y, (S_MIN, S_MAX), 256)
    torch.testing.assert_close(kutta, y * scale, rtol=1e-7, atol=0)


def test_a_round_trip_of_euler_on_a_gaussian_is_a_product() -> None:
    """Each step of y + ds s / (c^2 + s^2) y and the step back multiply y by known numbers."""
    trial = _trial(GAUSSIAN, DDIM(), 12)
    s = [time.s for time in trial.times]

    def step(now: float, then: float) -> float:
        return 1 + (then - now) * now / (STD**2 + now**2)

    down = math.prod(step(a, b) for a, b in pairwise(s))
    up = math.prod(step(b, a) for a, b in pairwise(s))
    code, data = RoundTrip(samples=8).measure(trial)
    assert abs(down * up - 1) > 0.1
    assert code.value == pytest.approx(abs(down * up - 1), rel=1e-10)
    assert data.value == pytest.approx(abs(down * up - 1), rel=1e-10)


@pytest.mark.parametrize(
    ("solver", "order"),
    [(DDIM(), 1), (Euler(), 1), (Heun(), 3), (EdmHeun(), 3), (Heun3(), 3), (RK4(), 5)],
    ids=lambda item: getattr(item, "name", str(item)),
)
def test_round_trips_fall_at_the_solvers_order_or_one_above(
    solver: OdeSolver[Any], order: int
) -> None:
    """Of a step and the step back, the leading errors h^(p+1) (1 + (-1)^(p+1)) cancel for even p.

    So the order is p for odd p and p + 1 for even p.
    """
    assert order == solver.order + (solver.order % 2 == 0)
    steps = [96, 192, 384]
    found = [
        _values(RoundTrip(samples=32).measure(_trial(GaussianMixture(), solver, n))) for n in steps
    ]
    for name in ("round_trip_code", "round_trip_data"):
        errors = [numbers[name] for numbers in found]
        slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
        assert slope == pytest.approx(-order, abs=0.25), name


@pytest.mark.parametrize(("solver", "order"), [(DDIM(), 1), (Heun(), 2), (RK4(), 4)])
def test_codes_converge_at_the_solvers_order(solver: OdeSolver[Any], order: int) -> None:
    steps = [48, 96, 192]
    metric = CodeAgreement(points=32, reference_steps=384)
    found = [_values(metric.measure(_trial(GaussianMixture(), solver, n))) for n in steps]
    slope = np.polyfit(np.log(steps), np.log([f["code_error"] for f in found]), 1)[0]
    assert slope == pytest.approx(-order, abs=0.25)
    assert found[-1]["code_error"] > 5 * found[-1]["code_error_reference"]


@pytest.mark.parametrize("schedule", [VP(), VE(), SubVP(), EDM()], ids=lambda p: p.name)
def test_codes_are_the_same_under_every_process(schedule: NoiseProcess) -> None:
    """One code a datum: that of an adaptive solver, whatever coordinates it works in."""
    model = GaussianMixture(s_min=0.02, s_max=40.0).load(torch.device("cpu"), torch.float64)
    ends = schedule.at_s(40.0), schedule.at_s(0.02)
    draw = Draw(3, 32, 32, model.shape, torch.float64)
    trial = Trial(model, schedule, Sampler(RK45(rtol=1e-8, atol=1e-9)), ends, draw)
    numbers = _values(CodeAgreement(points=32, reference_steps=256).measure(trial))
    assert numbers["code_error"] < 1e-5
    assert numbers["code_error_reference"] < 1e-6


def test_multistep_codes_converge_too() -> None:
    found = [
        _values(
            CodeAgreement(points=16).measure(_trial(GaussianMixture(), DpmSolverPP2M(), n, VP()))
        )
        for n in (20, 160)
    ]
    assert found[1]["code_error"] < found[0]["code_error"] / 16


def test_a_code_depends_on_no_other_sample() -> None:
    trial = _trial(GaussianMixture(), EdmHeun(), 8)
    many = RoundTrip(samples=150).measure(trial)
    few = RoundTrip(samples=70).measure(
        replace(trial, draw=replace(trial.draw, samples=9, batch=3))
    )
    for a, b in zip(many, few, strict=True):
        assert a.evidence is not None
        assert b.evidence is not None
        assert torch.equal(a.evidence[:64], b.evidence[:64])  # rows of a full shard
