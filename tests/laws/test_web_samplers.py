"""Samplers of the web interfaces, against their formulas in sigma written out for these tests.

`x` stands for their sample, which is y = x / alpha here, so that one formula is the reference for
every process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers import scheduling_flow_match_euler_discrete
from torch import Tensor

from bench.api import BenchError, NoiseProcess, NoiseStream, Problem, Sampler, Stepper
from bench.testing import (
    Gaussian,
    grid_of,
    measured_nfe,
    measured_order,
    measured_weak_order,
    ode_solver_of,
    process_of,
    propagated_moments,
    stepper_of,
)
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)


class Draws:
    """Reproducible noise, kept."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(4)
        self.last = torch.empty(0)

    def normal(self) -> Tensor:
        self.last = torch.from_numpy(self._random.standard_normal((8, 2)))
        return self.last


def _start() -> Tensor:
    return LEVELS[0] * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))


def _ours(
    stepper: Stepper[Any],
    process: NoiseProcess,
    plane: Mixture,
    levels: Sequence[float] = LEVELS,
) -> Tensor:
    """y at the last level."""
    times = [process.at_s(s) for s in levels]
    problem = Problem(process, plane.denoise, cast(NoiseStream, Draws()))
    return stepper.solve(problem, times[0].alpha * _start(), times) / times[-1].alpha


def _d(plane: Mixture, x: Tensor, sigma: float) -> Tensor:
    """to_d: the slope dx/dsigma."""
    return (x - plane.denoise(x, torch.tensor(sigma, dtype=torch.float64))) / sigma


@pytest.mark.parametrize("gamma", [1.0, 1.5, 2.0])
def test_gradient_estimation_is_the_papers(
    process: NoiseProcess, plane: Mixture, gamma: float
) -> None:
    """Euler's step, and (gamma - 1) (d - d_before) dt from the second on."""
    x, before = _start(), None
    for sigma, after in pairwise(LEVELS):
        d = _d(plane, x, sigma)
        x = x + d * (after - sigma)
        if before is not None:
            x = x + (gamma - 1) * (d - before) * (after - sigma)
        before = d
    ours = _ours(stepper_of("gradient_estimation", gamma=gamma), process, plane)
    torch.testing.assert_close(ours, x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("gamma", "grid_name", "order"),
    [
        (2.0, "karras", 1),
        (2.0, "log_snr", 1),
        (1.5, "karras", 2),  # whose steps change slowly
        (1.2, "log_snr", 1),
    ],
)
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_gradient_estimation_has_order_two_for_one_gamma_alone(
    process_name: str, gamma: float, grid_name: str, order: int
) -> None:
    solver = ode_solver_of("gradient_estimation", gamma=gamma)
    assert solver.order == 1
    assert measured_order(solver, process_name, grid_name) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("name", ["gradient_estimation", "res_multistep"])
def test_with_one_value_they_are_ddim(plane: Mixture, name: str) -> None:
    process = process_of("vp")
    ours = stepper_of(name, **({"gamma": 1.0} if name == "gradient_estimation" else {"highest": 1}))
    torch.testing.assert_close(
        _ours(ours, process, plane), _ours(stepper_of("ddim"), process, plane)
    )


def _heunpp2(plane: Mixture, levels: Sequence[float]) -> Tensor:
    """The authors' loop over ``levels`` and the zero that they append, without its last step."""
    x, sigmas = _start(), [*levels, 0.0]
    for i in range(len(sigmas) - 2):
        dt = sigmas[i + 1] - sigmas[i]
        d = _d(plane, x, sigmas[i])
        x_2 = x + d * dt
        d_2 = _d(plane, x_2, sigmas[i + 1])
        if sigmas[i + 2] == 0.0:
            w_2 = sigmas[i + 1] / (2 * sigmas[0])
            x = x + (d * (1 - w_2) + d_2 * w_2) * dt
        else:
            x_3 = x_2 + d_2 * (sigmas[i + 2] - sigmas[i + 1])
            d_3 = _d(plane, x_3, sigmas[i + 2])
            w_2, w_3 = sigmas[i + 1] / (3 * sigmas[0]), sigmas[i + 2] / (3 * sigmas[0])
            x = x + ((1 - w_2 - w_3) * d + w_2 * d_2 + w_3 * d_3) * dt
    return x


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_heunpp2_is_the_authors_loop(process: NoiseProcess, plane: Mixture, steps: int) -> None:
    levels = LEVELS[: steps + 1]
    ours = _ours(stepper_of("heunpp2"), process, plane, levels)
    torch.testing.assert_close(ours, _heunpp2(plane, levels), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
def test_heunpp2_has_order_one(process_name: str, grid_name: str) -> None:
    solver = ode_solver_of("heunpp2")
    assert measured_order(solver, process_name, grid_name) == pytest.approx(1, abs=0.1)
    for steps in (1, 2, 9):
        assert measured_nfe(solver, steps) == solver.cost(steps) == 3 * steps - 1


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_flow_ancestral_is_the_step_of_comfyui(
    process: NoiseProcess, plane: Mixture, eta: float
) -> None:
    """In its own coordinates z = (1 - u) x_0 + u eps, u = s / (1 + s)."""
    u = [s / (1 + s) for s in LEVELS]
    z, draws = _start() * (1 - u[0]), Draws()
    for sigma, after in pairwise(u):
        d = plane.denoise(z / (1 - sigma), torch.tensor(sigma / (1 - sigma), dtype=torch.float64))
        down = after * (1 + (after / sigma - 1) * eta)
        scale = (1 - after) / (1 - down)
        fresh = math.sqrt(max(0.0, after**2 - (down * scale) ** 2))
        z = scale * (down / sigma * z + (1 - down / sigma) * d) + fresh * draws.normal()
    ours = _ours(stepper_of("flow_ancestral", eta=eta), process, plane)
    torch.testing.assert_close(ours, z / (1 - u[-1]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("eta", [1.0, 0.4])
@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "quadratic"), ("edm", "karras")])
def test_flow_ancestral_has_weak_order_one(process_name: str, grid_name: str, eta: float) -> None:
    stepper = stepper_of("flow_ancestral", eta=eta)
    assert measured_weak_order(stepper, process_name, grid_name) == pytest.approx(1, abs=0.1)


def test_without_noise_flow_ancestral_is_flow_euler(process: NoiseProcess, plane: Mixture) -> None:
    pair = [stepper_of("flow_ancestral", eta=0.0), stepper_of("flow_euler")]
    ends = [_ours(stepper, process, plane) for stepper in pair]
    torch.testing.assert_close(ends[0], ends[1])


def test_flow_stochastic_is_that_of_diffusers(
    plane: Mixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, draws = process_of("rectified_flow"), Draws()
    scheduler: Any = FlowMatchEulerDiscreteScheduler(stochastic_sampling=True)
    scheduler.set_timesteps(sigmas=[s / (1 + s) for s in LEVELS])
    monkeypatch.setattr(
        scheduling_flow_match_euler_discrete, "randn_tensor", lambda *_, **__: draws.normal()
    )
    z = _start() / (1 + LEVELS[0])
    for sigma, t in zip(scheduler.sigmas[:-2].tolist(), scheduler.timesteps, strict=False):
        s = torch.tensor(sigma / (1 - sigma), dtype=torch.float64)
        velocity = (z - plane.denoise(z / (1 - sigma), s)) / sigma
        z = scheduler.step(velocity, t, z).prev_sample.double()
    ours = _ours(stepper_of("flow_stochastic"), process, plane)
    torch.testing.assert_close(ours, z * (1 + LEVELS[-1]), rtol=1e-4, atol=1e-4)


def test_flow_stochastic_converges_to_too_little_variance() -> None:
    """V = k^2 V + s^2 with k = c^2 / (c^2 + s^2): (c^2 + s^2)^2 / (2 c^2 + s^2)."""
    process, data = process_of("edm"), Gaussian()
    sampler = Sampler(stepper_of("flow_stochastic"), finish=False)
    errors = []
    for steps in (200, 400):
        times = grid_of("log_snr").times(process, steps, 0.1, 10.0)
        mean, variance = propagated_moments(process, sampler, times, data)
        total = data.variance + 0.1**2
        errors.append(abs(variance - total**2 / (data.variance + total)))
        assert mean == pytest.approx(data.mean, abs=1e-9)
        assert variance < 0.55 * total
    assert errors[1] < 0.6 * errors[0]
    for name in ("vp", "edm"):
        assert measured_weak_order(stepper_of("flow_stochastic"), name) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("eta", [1.0, 0.4, 0.0])
def test_2m_sde_in_heun_form_is_k_diffusions(
    process: NoiseProcess, plane: Mixture, eta: float
) -> None:
    """x + ((1 - e^-q) / -q + 1) / r (D - D_before), q = (1 + eta) h and r = h_before / h."""
    x, draws, before = _start(), Draws(), (torch.empty(0), 0.0)
    for i, (sigma, after) in enumerate(pairwise(LEVELS)):
        d = plane.denoise(x, torch.tensor(sigma, dtype=torch.float64))
        h = math.log(sigma / after)
        q = (1 + eta) * h
        x = after / sigma * math.exp(-eta * h) * x + (1 - math.exp(-q)) * d
        if i > 0:
            x = x + ((1 - math.exp(-q)) / -q + 1) * h / before[1] * (d - before[0])
        x = x + draws.normal() * after * math.sqrt(1 - math.exp(-2 * eta * h))
        before = d, h
    ours = _ours(stepper_of("dpmpp_2m_sde", heun=True, eta=eta), process, plane)
    torch.testing.assert_close(ours, x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("phi_2", [False, True])
@pytest.mark.parametrize("r", [0.3, 1.0])
@pytest.mark.parametrize("eta", [1.0, 0.4, 0.0])
def test_seeds_2_is_that_of_comfyui(
    process: NoiseProcess, plane: Mixture, eta: float, r: float, phi_2: bool
) -> None:
    x, draws = _start(), Draws()
    for sigma, after in pairwise(LEVELS):
        h = math.log(sigma / after)
        q, mid = (1 + eta) * h, sigma * math.exp(-r * h)
        d = plane.denoise(x, torch.tensor(sigma, dtype=torch.float64))
        x_2 = mid / sigma * math.exp(-r * h * eta) * x + (1 - math.exp(-r * q)) * d
        noise = math.sqrt(1 - math.exp(-2 * r * h * eta)) * draws.normal()
        x_2 = x_2 + noise * mid
        d_2 = plane.denoise(x_2, torch.tensor(mid, dtype=torch.float64))
        whole = 1 - math.exp(-q)
        second = (1 - whole / q) / r if phi_2 else whole / (2 * r)
        x = after / sigma * math.exp(-h * eta) * x + (whole - second) * d + second * d_2
        rest = (r - 1) * h * eta
        noise = noise * math.exp(rest) + math.sqrt(1 - math.exp(2 * rest)) * draws.normal()
        x = x + noise * after
    ours = _ours(stepper_of("seeds_2", eta=eta, r=r, phi_2=phi_2), process, plane)
    torch.testing.assert_close(ours, x, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("seeds_2", {"phi_2": True}),
        ("seeds_2", {"phi_2": True, "r": 1.0}),
        ("seeds_2", {"phi_2": True, "r": 1.0, "eta": 0.4}),
        ("dpmpp_2m_sde", {"heun": True}),
        ("dpmpp_2m_sde", {"heun": True, "eta": 0.5}),
        ("sa_solver", {"pece": True, "predictor_order": 1}),
    ],
)
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_options_keep_weak_order_two(
    process_name: str, name: str, parameters: dict[str, Any]
) -> None:
    stepper = stepper_of(name, **parameters)
    assert stepper.order == 2
    found = measured_weak_order(stepper, process_name, "quadratic", (160, 320, 640))
    assert found == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("gradient_estimation", {"gamma": 0.0}, "gamma must"),
        ("flow_ancestral", {"eta": 1.1}, "eta must"),
        ("flow_ancestral", {"s_noise": -1.0}, "s_noise must"),
        ("seeds_2", {"r": 0.0}, "r must"),
        ("sa_solver", {"pece": True, "corrector_order": 0}, "pece needs a corrector_order"),
    ],
)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of(name, **parameters)
