"""Stochastic exponential solvers: where two of them must agree, and what noise they add."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import exp
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from bench.api import BenchError, NoiseProcess, NoiseStream, Problem, Stepper, Time
from bench.testing import measured_weak_order, process_of, stepper_of
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)
Model = Callable[[Tensor, Tensor], Tensor]


class Draws:
    """Reproducible noise; two steppers that draw equally often see the same."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(4)

    def normal(self) -> Tensor:
        return torch.from_numpy(self._random.standard_normal((8, 2)))


class Units:
    """Draw k is the unit vector of row k + 1, so that row k + 1 is the coefficient of draw k."""

    def __init__(self, rows: int) -> None:
        self._rows, self._drawn = rows, 0

    def normal(self) -> Tensor:
        self._drawn += 1
        return torch.eye(self._rows, dtype=torch.float64)[:, self._drawn, None]


def _path(stepper: Stepper[Any], process: NoiseProcess, model: Model) -> list[Tensor]:
    """x after every step."""
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, model, cast(NoiseStream, Draws()))
    x = times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
    state, path = stepper.start(times), []
    for now, then in pairwise(times):
        x, state = stepper.step(problem, x, now, then, state)
        path.append(x)
    return path


def _same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    assert len(ours) == len(theirs) > 0
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


WITHOUT_NOISE = [
    ("euler_a", "ddim"),
    ("seeds_1", "ddim"),
    ("dpm2_a", "dpm_solver_2"),
    ("dpmpp_2s_a", "dpmpp_2s"),
    ("dpmpp_sde", "dpmpp_2s"),
    ("seeds_2", "dpmpp_2s"),
    ("dpmpp_2m_sde", "dpmpp_2m"),
]


@pytest.mark.parametrize(("name", "deterministic"), WITHOUT_NOISE)
def test_without_noise_it_is_the_deterministic_solver(
    process: NoiseProcess, plane: Mixture, name: str, deterministic: str
) -> None:
    ours = _path(stepper_of(name, eta=0.0), process, plane.denoise)
    _same(ours, _path(stepper_of(deterministic), process, plane.denoise))


def test_dpmpp_2m_sde_keeps_its_safeguard_without_noise(plane: Mixture) -> None:
    process = process_of("vp")
    ours = stepper_of("dpmpp_2m_sde", eta=0.0, lower_order_final=True)
    theirs = stepper_of("dpmpp_2m", lower_order_final=True)
    _same(_path(ours, process, plane.denoise), _path(theirs, process, plane.denoise))


def test_dpmpp_3m_sde_steps_as_dpmpp_3m_once_it_has_three_values(plane: Mixture) -> None:
    """Their second steps differ: the exact line here, the midpoint formula there."""
    process = process_of("vp")
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, plane.denoise, cast(NoiseStream, Draws()))
    ours, theirs = stepper_of("dpmpp_3m_sde", eta=0.0), stepper_of("dpmpp_3m")
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
    state = ours.start(times)
    for i, (now, then) in enumerate(pairwise(times)):
        y, _ = theirs.step(problem, x, now, then, state)
        x, state = ours.step(problem, x, now, then, state)
        if i != 1:
            _same([x], [y])


AT_FULL_NOISE = [("euler_a", "ancestral"), ("seeds_1", "ancestral"), ("seeds_2", "dpmpp_sde")]


@pytest.mark.parametrize(("name", "other"), AT_FULL_NOISE)
def test_at_full_noise_it_is_the_other_solver(
    process: NoiseProcess, plane: Mixture, name: str, other: str
) -> None:
    ours = _path(stepper_of(name), process, plane.denoise)
    _same(ours, _path(stepper_of(other), process, plane.denoise))


@pytest.mark.parametrize("eta", [1.0, 0.4])
@pytest.mark.parametrize(("name", "stages"), [("seeds_2", 2), ("seeds_3", 3)])
def test_stages_of_seeds_see_one_brownian_path(name: str, stages: int, eta: float) -> None:
    """Covariances against those of dy = -(1 + eta) y dlambda + (2 eta)^1/2 s dw (D = 0).

    The variance since s_now is s^2 (1 - (s / s_now)^(2 eta)), and what is there at s_a decays by
    (s_b / s_a)^(1 + eta) on its way to s_b.
    """
    _check_covariances(
        stepper_of(name, eta=eta),
        stages,
        variance=lambda s_now, s: s**2 * (1 - (s / s_now) ** (2 * eta)),
        decay=lambda s_a, s_b: (s_b / s_a) ** (1 + eta),
    )


@pytest.mark.parametrize("eta", [1.0, 0.4])
@pytest.mark.parametrize("r", [0.5, 0.8])
def test_stages_of_dpmpp_sde_see_one_brownian_path(eta: float, r: float) -> None:
    """As above with the reverse SDE's noise (eta = 1), all of it scaled by eta."""
    _check_covariances(
        stepper_of("dpmpp_sde", eta=eta, r=r),
        stages=2,
        variance=lambda s_now, s: eta**2 * s**2 * (1 - (s / s_now) ** 2),
        decay=lambda s_a, s_b: (s_b / s_a) ** 2,
    )


def _check_covariances(
    stepper: Stepper[Any],
    stages: int,
    variance: Callable[[float, float], float],
    decay: Callable[[float, float], float],
) -> None:
    process = process_of("vp")
    now, then = process.at_s(2.0), process.at_s(0.7)
    seen: list[tuple[float, Tensor]] = []

    def nothing(y: Tensor, s: Tensor) -> Tensor:
        seen.append((float(s), y[1:, 0]))
        return torch.zeros_like(y)

    problem = Problem(process, nothing, cast(NoiseStream, Units(1 + stages)))
    x, _ = stepper.step(problem, torch.zeros(1 + stages, 1, dtype=torch.float64), now, then, None)
    points = [*seen[1:], (then.s, x[1:, 0] / then.alpha)]
    assert len(points) == stages
    for i, (s_a, noise_a) in enumerate(points):
        for s_b, noise_b in points[i:]:
            exact = variance(now.s, s_a) * decay(s_a, s_b)
            assert float(noise_a @ noise_b) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("name", ["dpmpp_2m_sde", "dpmpp_3m_sde"])
def test_noise_of_the_multistep_solvers(name: str) -> None:
    process, eta, s_noise = process_of("vp"), 0.4, 1.1
    now, then = process.at_s(2.0), process.at_s(0.7)
    problem = Problem(process, lambda y, s: torch.zeros_like(y), cast(NoiseStream, Units(2)))
    stepper = stepper_of(name, eta=eta, s_noise=s_noise)
    x = torch.zeros(2, 1, dtype=torch.float64)
    x, _ = stepper.step(problem, x, now, then, stepper.start((now, then)))
    exact = s_noise**2 * then.sigma**2 * (1 - (then.s / now.s) ** (2 * eta))
    assert float(x[1, 0]) ** 2 == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("name", ["euler_a", "dpm2_a", "dpmpp_2s_a", "dpmpp_sde", "seeds_3"])
def test_s_noise_scales_the_noise_alone(plane: Mixture, name: str) -> None:
    """From one x, the mean of two opposite draws does not depend on it where D is affine."""
    process = process_of("vp")
    now, then = process.at_s(2.0), process.at_s(0.7)

    def affine(y: Tensor, s: Tensor) -> Tensor:
        return 0.3 + y / (1 + s * s)

    def run(s_noise: float, sign: int) -> Tensor:
        draws = Draws()

        class Signed:
            def normal(self) -> Tensor:
                return sign * draws.normal()

        problem = Problem(process, affine, cast(NoiseStream, Signed()))
        x = torch.ones(8, 2, dtype=torch.float64)
        return stepper_of(name, s_noise=s_noise).step(problem, x, now, then, None)[0]

    calm, one, two = run(0.0, 1), run(1.0, 1), run(2.0, 1)
    torch.testing.assert_close(run(1.0, -1), 2 * calm - one)
    torch.testing.assert_close(two - calm, 2 * (one - calm))
    assert float((one - calm).abs().max()) > 0.1


def test_where_d_is_a_line_in_lambda_the_exponential_integral_is_exact() -> None:
    """y_then = e^-q y + int (1 + eta) e^-(1 + eta)(lam_then - lam) D(lam) dlam, q = (1 + eta) h."""
    process, eta = process_of("vp"), 0.6
    times = [process.at_s(s) for s in LEVELS]

    def line(y: Tensor, s: Tensor) -> Tensor:
        return torch.zeros_like(y) + (2.0 - 3.0 * s.log())

    def exact(y: Tensor, now: Time, then: Time) -> Tensor:
        def integrand(lam: float) -> float:
            return (1 + eta) * exp(-(1 + eta) * (then.lam - lam)) * (2.0 + 3.0 * lam)

        return exp(-(1 + eta) * (then.lam - now.lam)) * y + quad(integrand, now.lam, then.lam)[0]

    problem = Problem(process, line, cast(NoiseStream, Draws()))
    for name in ("seeds_3", "dpmpp_3m_sde"):
        stepper = stepper_of(name, eta=eta, s_noise=0.0)
        x = torch.ones(8, 2, dtype=torch.float64)
        state = stepper.start(times)
        for i, (now, then) in enumerate(pairwise(times)):
            expected = then.alpha * exact(x / now.alpha, now, then)
            x, state = stepper.step(problem, x, now, then, state)
            if name == "seeds_3" or i >= 1:  # the multistep solver starts with one value
                torch.testing.assert_close(x, expected, rtol=1e-9, atol=1e-9)


def test_dpmpp_3m_sde_gives_the_parabola_half_its_weight() -> None:
    """k-diffusion's phi_3 d2, where the integral of u^2 has 2 phi_3 d2."""
    process, eta = process_of("vp"), 0.6
    times = [process.at_s(s) for s in LEVELS[:4]]
    lam, h = times[2].lam, times[3].lam - times[2].lam

    def parabola(y: Tensor, s: Tensor) -> Tensor:
        return torch.zeros_like(y) + ((-s.log() - lam) / h) ** 2

    problem = Problem(process, parabola, cast(NoiseStream, Draws()))
    x, stepper = (
        torch.zeros(8, 2, dtype=torch.float64),
        stepper_of("dpmpp_3m_sde", eta=eta, s_noise=0.0),
    )
    state = stepper.start(times)
    for now, then in pairwise(times):
        before = x / now.alpha
        x, state = stepper.step(problem, x, now, then, state)
    q = (1 + eta) * h
    whole = quad(lambda u: q * exp(-q * (1 - u)) * u**2, 0, 1)[0]
    added = x / times[-1].alpha - exp(-q) * before
    torch.testing.assert_close(added, torch.full_like(x, whole / 2), rtol=1e-9, atol=1e-9)


WEAK = [
    ("euler_a", {"eta": 0.5}),
    ("dpm2_a", {"eta": 0.5}),
    ("dpmpp_2s_a", {"eta": 0.5}),
    ("dpmpp_sde", {"eta": 0.5}),
    ("dpmpp_sde", {"r": 0.8}),
    ("dpmpp_2m_sde", {"eta": 0.5}),
    ("dpmpp_3m_sde", {"eta": 0.5}),
    ("seeds_1", {"eta": 0.5}),
    ("seeds_2", {"eta": 0.5}),
    ("seeds_3", {"eta": 0.5}),
    ("er_sde", {"highest": 1}),
    ("er_sde", {"highest": 2}),
]


@pytest.mark.parametrize(("name", "parameters"), WEAK)
def test_weak_orders_with_other_parameters(name: str, parameters: dict[str, Any]) -> None:
    stepper = stepper_of(name, **parameters)
    steps = (160, 480) if stepper.order == 1 else (80, 240)
    assert measured_weak_order(stepper, "vp", "quadratic", steps) > stepper.order - 0.1


def test_seeds_3_is_of_order_three_without_noise() -> None:
    stepper = stepper_of("seeds_3", eta=0.0)
    assert measured_weak_order(stepper, "edm", "quadratic", (40, 80, 160)) > 2.8


def test_the_noise_is_what_holds_seeds_3_at_order_two() -> None:
    stepper = stepper_of("seeds_3")
    assert measured_weak_order(stepper, "edm", "karras", (320, 640)) < 2.1


WRONG = [
    ("euler_a", {"eta": 1.1}, "eta"),
    ("dpm2_a", {"eta": -0.1}, "eta"),
    ("dpmpp_2s_a", {"s_noise": -1.0}, "s_noise"),
    ("dpmpp_sde", {"r": 1.0}, "r must"),
    ("dpmpp_sde", {"eta": 2.0}, "eta"),
    ("dpmpp_2m_sde", {"eta": -1.0}, "eta"),
    ("dpmpp_3m_sde", {"s_noise": -1.0}, "s_noise"),
    ("seeds_2", {"eta": -1.0}, "eta"),
    ("er_sde", {"highest": 4}, "highest"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), WRONG)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of(name, **parameters)
