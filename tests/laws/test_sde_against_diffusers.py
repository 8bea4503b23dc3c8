"""Stochastic exponential solvers: the same steps as diffusers' schedulers with the same noise.

Both sides start from one x_T and are compared after every step, to 1e-5 of the largest entry: the
schedulers keep their levels in float32. k-diffusion's schedulers work in y = x / alpha, so that
one of them is the reference for every process.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from math import log, sqrt
from typing import Any, cast

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers import (
    scheduling_euler_ancestral_discrete,
    scheduling_k_dpm_2_ancestral_discrete,
)
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Predictor, Problem, Time
from bench.registry import Kind, build, load_registry
from bench_plugins.models.closed_form import Mixture

# diffusers builds numpy arrays from tensors in ways that numpy 2 deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
]


class Replay:
    """Our side's noise, kept for the other side."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(11)
        self.draws: list[Tensor] = []

    def normal(self) -> Tensor:
        draw = torch.from_numpy(self._random.standard_normal((32, 2))).float()
        self.draws.append(draw)
        return draw

    def last(self, *_: Any, **__: Any) -> Tensor:
        """In place of diffusers' ``randn_tensor``: what our side has just drawn."""
        return self.draws[-1]


class Duel:
    """One predictor under one process on the levels of a scheduler."""

    def __init__(
        self, plane: Mixture, process_name: str, levels: Tensor, name: str, **parameters: object
    ) -> None:
        process = load_registry().get(process_name, Kind.PROCESS).cls()
        predictor = build(load_registry().get(name, Kind.PREDICTOR).cls, parameters)
        assert isinstance(process, NoiseProcess)
        assert isinstance(predictor, Predictor)
        self.noise = Replay()
        self._model = plane.to(torch.device("cpu"), torch.float32).denoise
        self._problem = Problem(process, self._model, cast(NoiseStream, self.noise))
        self._predictor: Predictor[Any] = predictor
        self.times: Sequence[Time] = [process.at_s(s) for s in levels.double().tolist()]

    def denoise(self, y: Tensor, s: float) -> Tensor:
        """D of y = x / alpha."""
        return self._model(y, torch.tensor(s))

    def compare(self, other: Callable[[int, Tensor], Tensor], scaled: bool) -> None:
        """``other(i, x)`` is the reference's step i, of x or (``scaled``) of y = x / alpha."""
        first = self.times[0]
        start = np.random.default_rng(2).standard_normal((32, 2)) * first.sigma
        ours = torch.from_numpy(start).float()
        theirs = ours / first.alpha if scaled else ours
        state = self._predictor.start(self.times)
        for i, (now, then) in enumerate(itertools.pairwise(self.times)):
            ours, state = self._predictor.step(self._problem, ours, now, then, state)
            theirs = other(i, theirs)
            result = ours / then.alpha if scaled else ours
            difference = float((result - theirs).abs().max())
            assert difference <= 1e-5 * float(theirs.abs().max()), f"step {i}"
        assert len(self.times) > 8


@pytest.mark.parametrize("process_name", ["edm", "vp", "rectified_flow"])
def test_euler_a(plane: Mixture, process_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler: Any = diffusers.EulerAncestralDiscreteScheduler(prediction_type="epsilon")
    scheduler.set_timesteps(30)
    duel = Duel(plane, process_name, scheduler.sigmas[:-1], "euler_a")
    monkeypatch.setattr(scheduling_euler_ancestral_discrete, "randn_tensor", duel.noise.last)

    def step(i: int, y: Tensor) -> Tensor:
        scheduler.is_scale_input_called = True
        eps = (y - duel.denoise(y, duel.times[i].s)) / scheduler.sigmas[i]
        result: Tensor = scheduler.step(eps, scheduler.timesteps[i], y).prev_sample
        return result

    duel.compare(step, scaled=True)


@pytest.mark.parametrize("process_name", ["edm", "vp", "rectified_flow"])
def test_dpm2_a(plane: Mixture, process_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler: Any = diffusers.KDPM2AncestralDiscreteScheduler()
    scheduler.set_timesteps(20)
    levels = scheduler.sigmas[:-1].unique().flip(0)[:-1]  # without the zero
    duel = Duel(plane, process_name, levels, "dpm2_a")
    module = scheduling_k_dpm_2_ancestral_discrete
    monkeypatch.setattr(module, "randn_tensor", duel.noise.last)

    def step(i: int, y: Tensor) -> Tensor:
        first, second = scheduler.timesteps[2 * i], scheduler.timesteps[2 * i + 1]
        eps = (y - duel.denoise(y, duel.times[i].s)) / scheduler.sigmas[2 * i]
        y = scheduler.step(eps, first, y).prev_sample
        mid = float(scheduler.sigmas_interpol[2 * i])
        result: Tensor = scheduler.step((y - duel.denoise(y, mid)) / mid, second, y).prev_sample
        return result

    duel.compare(step, scaled=True)


@pytest.fixture
def sde_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """diffusers' module of DPM++ SDE, whose Brownian tree (torchsde's) is not used here."""
    name = "diffusers.schedulers.scheduling_dpmsolver_sde"
    if "torchsde" not in sys.modules:
        monkeypatch.setitem(sys.modules, "torchsde", types.ModuleType("torchsde"))
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module(name)
    sys.modules.pop(name, None)


@pytest.mark.parametrize("process_name", ["edm", "vp", "rectified_flow"])
def test_dpmpp_sde(plane: Mixture, process_name: str, sde_module: Any) -> None:
    scheduler: Any = sde_module.DPMSolverSDEScheduler(use_karras_sigmas=True)
    scheduler.set_timesteps(20)
    levels = scheduler.sigmas[:-1].unique().flip(0)[:-1]
    duel = Duel(plane, process_name, levels, "dpmpp_sde")

    def step(i: int, y: Tensor) -> Tensor:
        s_now, s_then = duel.times[i].s, duel.times[i + 1].s
        s_mid = sqrt(s_now * s_then)
        z, fresh = duel.noise.draws[-2:]
        # The whole step's noise of the same path: the middle's, decayed, and the second half's.
        half = s_mid * sqrt(1 - (s_mid / s_now) ** 2) * z
        rest = s_then * sqrt(1 - (s_then / s_mid) ** 2) * fresh
        whole = (s_then / s_mid) ** 2 * half + rest
        draws = iter([z, whole / (s_then * sqrt(1 - (s_then / s_now) ** 2))])
        scheduler.noise_sampler = lambda *_: next(draws)
        first, second = scheduler.timesteps[2 * i], scheduler.timesteps[2 * i + 1]
        y = scheduler.step((y - duel.denoise(y, s_now)) / s_now, first, y).prev_sample
        result: Tensor = scheduler.step((y - duel.denoise(y, s_mid)) / s_mid, second, y).prev_sample
        return result

    duel.compare(step, scaled=True)


def _multistep(order: int, **options: Any) -> Any:
    return diffusers.DPMSolverMultistepScheduler(
        algorithm_type="sde-dpmsolver++",
        solver_order=order,
        prediction_type="sample",
        **options,
    )


@pytest.mark.parametrize("spacing", ["use_karras_sigmas", "use_exponential_sigmas"])
def test_dpmpp_2m_sde(plane: Mixture, spacing: str) -> None:
    scheduler = _multistep(2, solver_type="midpoint", lower_order_final=False, **{spacing: True})
    scheduler.set_timesteps(20)
    duel = Duel(plane, "vp", scheduler.sigmas[:-1], "dpmpp_2m_sde")

    def step(i: int, x: Tensor) -> Tensor:
        d = duel.denoise(x / duel.times[i].alpha, duel.times[i].s)
        t, z = scheduler.timesteps[i], duel.noise.last()
        result: Tensor = scheduler.step(d, t, x, variance_noise=z).prev_sample
        return result

    duel.compare(step, scaled=False)


def test_dpmpp_2m_sde_with_a_last_step_of_lower_order(plane: Mixture) -> None:
    scheduler = _multistep(2, lower_order_final=True, final_sigmas_type="sigma_min")
    scheduler.set_timesteps(12)
    duel = Duel(plane, "vp", scheduler.sigmas, "dpmpp_2m_sde", lower_order_final=True)

    def step(i: int, x: Tensor) -> Tensor:
        d = duel.denoise(x / duel.times[i].alpha, duel.times[i].s)
        t, z = scheduler.timesteps[i], duel.noise.last()
        result: Tensor = scheduler.step(d, t, x, variance_noise=z).prev_sample
        return result

    duel.compare(step, scaled=False)


def test_dpmpp_3m_sde(plane: Mixture) -> None:
    """diffusers has the wrong sign before 1/2 in the weight of the parabola (0.42), so that its
    third order is a first: what it lacks, alpha D2, is added here. See k-diffusion's phi_3."""
    scheduler = _multistep(3, solver_type="heun", lower_order_final=False, use_karras_sigmas=True)
    scheduler.set_timesteps(20)
    duel = Duel(plane, "vp", scheduler.sigmas[:-1], "dpmpp_3m_sde")
    past: list[Tensor] = []

    def step(i: int, x: Tensor) -> Tensor:
        d = duel.denoise(x / duel.times[i].alpha, duel.times[i].s)
        past.append(d)
        t, z = scheduler.timesteps[i], duel.noise.last()
        result: Tensor = scheduler.step(d, t, x, variance_noise=z).prev_sample
        if i < 2:
            return result
        lams = [-log(time.s) for time in duel.times[i - 2 : i + 2]]
        h = lams[3] - lams[2]
        r0, r1 = (lams[2] - lams[1]) / h, (lams[1] - lams[0]) / h
        d2 = ((past[i] - past[i - 1]) / r0 - (past[i - 1] - past[i - 2]) / r1) / (r0 + r1)
        return result + duel.times[i + 1].alpha * d2

    duel.compare(step, scaled=False)
