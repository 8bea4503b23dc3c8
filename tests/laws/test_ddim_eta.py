"""DDIM between its deterministic and its ancestral end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Problem
from bench.registry import Kind, ParameterError, load_registry
from bench.testing import measured_weak_order, stepper_of
from bench_plugins.models.closed_form import Mixture

LEVELS = (20.0, 7.0, 2.0, 0.8, 0.79, 0.1)


class OneDraw:
    """Stands in for a noise stream: always the same draw."""

    def __init__(self, z: Tensor) -> None:
        self.z = z

    def normal(self) -> Tensor:
        return self.z


def _random(seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((16, 2)))


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("process_name", ["vp", "vp_cosine"])
def test_steps_are_those_of_diffusers(plane: Mixture, process_name: str, eta: float) -> None:
    scheduler: Any = diffusers.DDIMScheduler(clip_sample=False, prediction_type="sample")
    scheduler.set_timesteps(25)
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    kept = scheduler.alphas_cumprod[scheduler.timesteps]
    process = load_registry().get(process_name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    times = [process.at_s(s) for s in ((1 - kept) / kept).sqrt().tolist()]
    ours = theirs = _random(1) * times[0].sigma
    stepper = stepper_of("ddim_eta", eta=eta)
    for i, (now, then) in enumerate(pairwise(times)):
        z = _random(100 + i)
        problem = Problem(process, plane.denoise, cast(NoiseStream, OneDraw(z)))
        ours, _ = stepper.step(problem, ours, now, then, None)
        d = problem.denoise(theirs, now)
        noise = z if eta > 0 else None
        theirs = scheduler.step(
            d, int(scheduler.timesteps[i]), theirs, eta=eta, variance_noise=noise
        ).prev_sample
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9 * float(theirs.abs().max()))


@pytest.mark.parametrize(
    ("eta", "other", "parameters"),
    [
        (0.0, "ddim", {}),
        (1.0, "ancestral", {}),
        (1.0, "euler_a", {}),
        (0.4, "euler_a", {"eta": 0.4}),
    ],
)
def test_steps_are_those_of_other_solvers(
    process: NoiseProcess, plane: Mixture, eta: float, other: str, parameters: dict[str, object]
) -> None:
    problem = Problem(process, plane.denoise, cast(NoiseStream, OneDraw(_random(3))))
    for now, then in pairwise(process.at_s(s) for s in LEVELS):
        x = now.sigma * _random(4)
        ours, _ = stepper_of("ddim_eta", eta=eta).step(problem, x, now, then, None)
        expected, _ = stepper_of(other, **parameters).step(problem, x, now, then, None)
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("eta", [0.2, 0.7])
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_weak_order_is_one_between_the_ends(process_name: str, eta: float) -> None:
    slope = measured_weak_order(stepper_of("ddim_eta", eta=eta), process_name)
    assert slope == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("eta", [-0.1, 1.1])
def test_eta_lies_between_ode_and_ddpm(eta: float) -> None:
    with pytest.raises(ParameterError, match=r"eta must lie in \[0, 1\]"):
        stepper_of("ddim_eta", eta=eta)
