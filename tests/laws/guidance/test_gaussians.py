"""Guided samples of Gaussians, whose probability-flow ODE has a closed form.

A score -y / (v + s^2) carries y in proportion to (v + s^2)^(1/2), and a sum of such scores with
weights w_i to the product of the (v_i + s^2)^(w_i / 2): what guidance samples is no tilted density.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bench.api import Adaptive, Stepper
from bench.registry import Kind, load_registry

S_MIN, S_MAX = 0.002, 50.0
PLAIN, OWN, WEAK = 1.5, 0.4, 0.7


def _flow(parts: dict[float, float], low: float = S_MIN, high: float = S_MAX) -> float:
    """y(low) / y(high) under the scores of variances v with weights w."""
    return math.prod(((v + low**2) / (v + high**2)) ** (w / 2) for v, w in parts.items())


def _scheduled(scale: float, shape: Callable[[torch.Tensor], torch.Tensor], other: float) -> float:
    """The gain with w = 1 + (scale - 1) shape(u), by quadrature."""
    level = torch.linspace(math.log(S_MIN), math.log(S_MAX), 20_001, dtype=torch.float64)
    s = level.exp()
    w = 1 + (scale - 1) * shape(s / (1 + s))
    rate = s**2 * (w / (OWN + s**2) + (1 - w) / (other + s**2))
    return S_MAX * math.exp(-float(torch.trapezoid(rate, level)))


@pytest.mark.parametrize("w", [-0.5, 0.0, 1.0, 1.5, 3.0])
def test_cfg_of_gaussians_is_their_geometric_mean(laboratory: Any, w: float) -> None:
    found = laboratory.gain(laboratory.guidance("cfg", scale=w))
    expected = S_MAX * _flow({OWN: w, PLAIN: 1 - w})
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=4e-3, atol=0)
    geometric, tilted = OWN**w * PLAIN ** (1 - w), 1 / (w / OWN + (1 - w) / PLAIN)
    assert float(found.square().mean()) == pytest.approx(geometric, rel=0.01)
    if w not in (0.0, 1.0):
        assert abs(geometric / tilted - 1) > 0.05  # p(x) p(c | x)^w has the harmonic one


@pytest.mark.parametrize("w", [0.0, 1.0, 2.0])
def test_autoguidance_of_gaussians_takes_the_error_away(laboratory: Any, w: float) -> None:
    found = laboratory.gain(laboratory.guidance("autoguidance", scale=w))
    expected = S_MAX * _flow({OWN: w, WEAK: 1 - w})
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=4e-3, atol=0)


def test_an_interval_is_guided_and_the_rest_is_not(laboratory: Any) -> None:
    low, high = 0.3, 4.0
    found = laboratory.gain(laboratory.guidance("cfg", scale=3.0, s_low=low, s_high=high))
    own, guided = {OWN: 1.0}, {OWN: 3.0, PLAIN: -2.0}
    expected = S_MAX * _flow(own, high, S_MAX) * _flow(guided, low, high) * _flow(own, S_MIN, low)
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=0.01, atol=0)
    whole = S_MAX * _flow(guided)
    assert abs(expected / whole - 1) > 0.1


@pytest.mark.parametrize(
    ("schedule", "parameters"),
    [("linear", {}), ("cosine", {}), ("power", {"power": 3.0}), ("constant", {})],
)
@pytest.mark.parametrize("name", ["cfg", "autoguidance"])
def test_schedules_are_integrated(
    laboratory: Any, name: str, schedule: str, parameters: dict[str, float]
) -> None:
    scale, other = 3.0, {"cfg": PLAIN, "autoguidance": WEAK}[name]
    shapes = {
        "constant": lambda u: torch.ones_like(u),
        "linear": lambda u: 1 - u,
        "cosine": lambda u: (1 + torch.cos(math.pi * u)) / 2,
        "power": lambda u: (1 - u) ** 3,
    }
    expected = _scheduled(scale, shapes[schedule], other)
    guidance = laboratory.guidance(name, scale=scale, schedule=schedule, **parameters)
    found = laboratory.gain(guidance)
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=4e-3, atol=0)


@pytest.mark.parametrize("tau", [0.5, 0.8, 1.0, 1.5])
def test_temperature_of_a_gaussian(laboratory: Any, tau: float) -> None:
    known = laboratory.gain(laboratory.guidance("temperature", tau=tau, std=math.sqrt(OWN)))
    expected = S_MAX * _flow({tau * OWN: 1.0})
    torch.testing.assert_close(known, torch.full_like(known, expected), rtol=4e-3, atol=0)
    plain = laboratory.gain(laboratory.guidance("temperature", tau=tau, std=None))
    collapsed = S_MAX * _flow({OWN: 1 / tau})
    torch.testing.assert_close(plain, torch.full_like(plain, collapsed), rtol=0.02, atol=0)
    if tau == 0.5:
        assert collapsed < 0.05 * math.sqrt(tau * OWN)


def test_velocity_free_beginning_keeps_the_flow_where_it_is(laboratory: Any) -> None:
    zero, scale = 0.2, 2.0
    highest = (1 - zero) / zero
    rest = (1 + highest) / (1 + S_MAX)
    found = laboratory.gain(laboratory.guidance("cfg_zero_star", scale=1.0, zero=zero))
    expected = S_MAX * rest * _flow({OWN: 1.0}, S_MIN, highest)
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=0.01, atol=0)
    # All velocities of a Gaussian of mean 0 lie along y: what is fitted is the class's, at any w.
    guided = laboratory.gain(laboratory.guidance("cfg_zero_star", scale=scale, zero=zero))
    torch.testing.assert_close(guided, found, rtol=1e-5, atol=0)


def test_cfg_pp_has_no_limit_of_many_steps(laboratory: Any) -> None:
    guidance = laboratory.guidance("cfg_pp", scale=0.6)
    ends = [float(laboratory.gain(guidance, "ddim", n).mean()) for n in (10, 40, 160)]
    plain = [
        float(laboratory.gain(laboratory.guidance("cfg_pp", scale=0.0), "ddim", n).mean())
        for n in (40, 160)
    ]
    assert plain[1] == pytest.approx(plain[0], rel=0.1)
    assert ends[2] < 0.7 * ends[1] < 0.5 * ends[0]


def _adaptive_odes() -> list[type[Adaptive]]:
    """The deterministic solvers that choose their steps."""
    found = load_registry().of(Kind.PREDICTOR, Kind.ODE_SOLVER)
    own = [e.cls for e in found if e.source.distribution == "scorebench"]
    return [
        c for c in own if issubclass(c, Adaptive) and issubclass(c, Stepper) and not c.stochastic
    ]


@pytest.mark.parametrize("solver", _adaptive_odes(), ids=lambda c: c.name)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_adaptive_solvers_meet_their_tolerance(
    laboratory: Any, schedule: str, solver: type[Adaptive]
) -> None:
    # The tolerance is one of each step, against a state that begins at 50 and ends near 0.2: at
    # rtol = 1e-6 the end is off by 5e-6 at most, and at 0.05 by its whole size.
    def expected(scale: float) -> float:
        if schedule == "constant":
            return S_MAX * _flow({OWN: scale, PLAIN: 1 - scale})
        return _scheduled(scale, lambda u: (1 + torch.cos(math.pi * u)) / 2, PLAIN)

    guidance = laboratory.guidance("cfg", scale=3.0, schedule=schedule)
    found = laboratory.adaptive_gain(guidance, solver, 1e-6)
    torch.testing.assert_close(found, torch.full_like(found, expected(3.0)), rtol=1e-5, atol=0)
    assert abs(expected(3.0 * 1.03) / expected(3.0) - 1) > 0.02  # a scale off by 3 % is seen


@pytest.mark.parametrize("solver", _adaptive_odes(), ids=lambda c: c.name)
def test_adaptive_solvers_cross_the_ends_of_an_interval(
    laboratory: Any, solver: type[Adaptive]
) -> None:
    # w jumps at both ends, inside of a step: the estimate of its error takes the right-hand side
    # for smooth and misses part of it, so that less is met here than where w is smooth.
    low, high = 0.3, 4.0
    guidance = laboratory.guidance("cfg", scale=3.0, s_low=low, s_high=high)
    found = laboratory.adaptive_gain(guidance, solver, 1e-6)
    own, guided = {OWN: 1.0}, {OWN: 3.0, PLAIN: -2.0}
    expected = S_MAX * _flow(own, high, S_MAX) * _flow(guided, low, high) * _flow(own, S_MIN, low)
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=3e-3, atol=0)
