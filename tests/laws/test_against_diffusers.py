"""The same steps as diffusers' schedulers on the schedulers' own levels.

Both sides start from one x_T, see one denoiser and one noise, and are compared after every step.
Schedulers that convert to float32 are compared to 1e-5 of the largest entry, others to 1e-9.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, cast

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers import (
    scheduling_ddpm,
    scheduling_euler_ancestral_discrete,
    scheduling_sde_ve,
)
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Problem, Stepper, Time
from bench.testing import process_of, stepper_of
from bench_plugins.models.closed_form import Mixture

# diffusers builds numpy arrays from tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FLOAT32 = 1e-5
FLOAT64 = 1e-9


class Replay:
    """One sequence of noise for both sides."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self._random = np.random.default_rng(11)
        self._shape, self._dtype = shape, dtype
        self.draws: list[Tensor] = []

    def normal(self) -> Tensor:
        draw = torch.from_numpy(self._random.standard_normal(self._shape)).to(self._dtype)
        self.draws.append(draw)
        return draw

    def last(self, *_: Any, **__: Any) -> Tensor:
        """In place of diffusers' ``randn_tensor``: what our side has just drawn."""
        return self.draws[-1]


def _times(process: NoiseProcess, levels: Tensor) -> list[Time]:
    return [process.at_s(s) for s in levels.double().tolist()]


def _compare(
    plane: Mixture,
    process: NoiseProcess,
    stepper: Stepper[Any],
    times: Sequence[Time],
    dtype: torch.dtype,
    tolerance: float,
    other: Callable[[int, Tensor, Callable[[Tensor], Tensor]], Tensor],
    noise: Replay | None = None,
) -> None:
    """``other(i, x, denoise)`` makes the reference's step i from ``x``; ``denoise`` is ours."""
    mixture = plane.to(torch.device("cpu"), dtype)
    problem = Problem(process, mixture.denoise, cast(NoiseStream, noise))
    start = np.random.default_rng(2).standard_normal((32, 2)) * times[0].sigma
    ours = theirs = torch.from_numpy(start).to(dtype)
    state = stepper.start(times)
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        ours, state = stepper.step(problem, ours, now, then, state)
        theirs = other(i, theirs, lambda x, now=now: problem.denoise(x, now))  # type: ignore[misc]
        scale = float(theirs.abs().max())
        assert float((ours - theirs).abs().max()) <= tolerance * scale, f"step {i}"
    assert len(times) > 8


@pytest.mark.parametrize("spacing", ["use_karras_sigmas", "use_exponential_sigmas"])
def test_dpmpp_2m_is_that_of_diffusers(plane: Mixture, spacing: str) -> None:
    scheduler: Any = diffusers.DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        prediction_type="sample",
        lower_order_final=False,
        **{spacing: True},
    )
    scheduler.set_timesteps(20)
    process = process_of("vp")

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        result: Tensor = scheduler.step(denoise(x), scheduler.timesteps[i], x).prev_sample
        return result

    times = _times(process, scheduler.sigmas[:-1])  # the last goes to zero
    _compare(plane, process, stepper_of("dpmpp_2m"), times, torch.float32, FLOAT32, step)


def test_dpmpp_2m_under_ve_is_that_of_diffusers(plane: Mixture) -> None:
    """diffusers' EDM variant keeps alpha = 1; its network output is inverted to give D."""
    scheduler: Any = diffusers.EDMDPMSolverMultistepScheduler(
        sigma_min=0.01, sigma_max=40.0, solver_order=2, lower_order_final=False
    )
    scheduler.set_timesteps(20)

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        sigma, data = scheduler.sigmas[i], scheduler.config.sigma_data
        c_skip = data**2 / (sigma**2 + data**2)
        c_out = sigma * data / (sigma**2 + data**2) ** 0.5
        network = (denoise(x) - c_skip * x) / c_out
        result: Tensor = scheduler.step(network, scheduler.timesteps[i], x).prev_sample
        return result

    process = process_of("edm")
    times = _times(process, scheduler.sigmas[:-1])
    _compare(plane, process, stepper_of("dpmpp_2m"), times, torch.float32, FLOAT32, step)


@pytest.mark.parametrize("set_alpha_to_one", [False, True])
@pytest.mark.parametrize("prediction", ["sample", "epsilon"])
@pytest.mark.parametrize("process_name", ["vp", "vp_cosine"])
def test_ddim_is_that_of_diffusers(
    plane: Mixture, process_name: str, prediction: str, set_alpha_to_one: bool
) -> None:
    """Any VP process has the scheduler's alpha and sigma at its levels."""
    scheduler: Any = diffusers.DDIMScheduler(
        clip_sample=False, set_alpha_to_one=set_alpha_to_one, prediction_type=prediction
    )
    scheduler.set_timesteps(25)
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    scheduler.final_alpha_cumprod = scheduler.final_alpha_cumprod.double()
    kept = scheduler.alphas_cumprod[scheduler.timesteps]
    if not set_alpha_to_one:
        # Its last step goes to the first level of training; with alpha = 1 it is our denoise.
        assert float(scheduler.final_alpha_cumprod) == float(scheduler.alphas_cumprod[0])
        kept = kept[:-1]  # the last two coincide: timestep 0
    process = process_of(process_name)
    times = _times(process, ((1 - kept) / kept).sqrt())

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        output, now = denoise(x), times[i]
        if prediction == "epsilon":
            output = (x - now.alpha * output) / now.sigma
        result: Tensor = scheduler.step(output, int(scheduler.timesteps[i]), x, eta=0.0).prev_sample
        return result

    _compare(plane, process, stepper_of("ddim"), times, torch.float64, FLOAT64, step)


def test_the_final_denoise_is_ddims_step_to_alpha_one(plane: Mixture) -> None:
    scheduler: Any = diffusers.DDIMScheduler(
        clip_sample=False, set_alpha_to_one=True, prediction_type="epsilon"
    )
    scheduler.set_timesteps(25)
    alpha2 = float(scheduler.alphas_cumprod[0].double())
    now = process_of("vp").at_s(((1 - alpha2) / alpha2) ** 0.5)
    problem = Problem(process_of("vp"), plane.denoise)
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2)))
    expected = scheduler.step(problem.eps(x, now), 0, x).prev_sample
    torch.testing.assert_close(problem.denoise(x, now), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("forward_variance", [False, True])
def test_ancestral_is_ddpm_of_diffusers(
    plane: Mixture, forward_variance: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "fixed_large" if forward_variance else "fixed_small"
    scheduler: Any = diffusers.DDPMScheduler(
        variance_type=kind, clip_sample=False, prediction_type="sample"
    )
    scheduler.set_timesteps(50)
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    kept = scheduler.alphas_cumprod[scheduler.timesteps]
    process, noise = process_of("vp"), Replay((32, 2), torch.float64)
    monkeypatch.setattr(scheduling_ddpm, "randn_tensor", noise.last)
    times = _times(process, ((1 - kept) / kept).sqrt())

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        result: Tensor = scheduler.step(denoise(x), int(scheduler.timesteps[i]), x).prev_sample
        return result

    stepper = stepper_of("ancestral", forward_variance=forward_variance)
    _compare(plane, process, stepper, times, torch.float64, FLOAT64, step, noise)


@pytest.mark.parametrize("process_name", ["edm", "ve"])
def test_ancestral_without_scaling_is_euler_ancestral_of_diffusers(
    plane: Mixture, process_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler: Any = diffusers.EulerAncestralDiscreteScheduler(prediction_type="epsilon")
    scheduler.set_timesteps(30)
    process, noise = process_of(process_name), Replay((32, 2), torch.float32)
    monkeypatch.setattr(scheduling_euler_ancestral_discrete, "randn_tensor", noise.last)
    times = _times(process, scheduler.sigmas[:-1])

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        scheduler.is_scale_input_called = True
        eps = (x - denoise(x)) / scheduler.sigmas[i]
        result: Tensor = scheduler.step(eps, scheduler.timesteps[i], x).prev_sample
        return result

    stepper = stepper_of("ancestral")
    _compare(plane, process, stepper, times, torch.float32, FLOAT32, step, noise)


@pytest.mark.parametrize("process_name", ["edm", "ve"])
def test_edm_heun_is_heun_of_diffusers(plane: Mixture, process_name: str) -> None:
    scheduler: Any = diffusers.HeunDiscreteScheduler(
        prediction_type="sample", use_karras_sigmas=True
    )
    scheduler.set_timesteps(18)
    scheduler.sigmas = scheduler.sigmas.double()
    process = process_of(process_name)
    times = _times(process, scheduler.sigmas[:-1].unique().flip(0))

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        first, second = scheduler.timesteps[2 * i], scheduler.timesteps[2 * i + 1]
        euler = scheduler.step(denoise(x), first, x).prev_sample
        s_then = torch.tensor(times[i + 1].s, dtype=torch.float64)
        result: Tensor = scheduler.step(plane.denoise(euler, s_then), second, euler).prev_sample
        return result

    _compare(plane, process, stepper_of("edm_heun"), times, torch.float64, FLOAT64, step)


@pytest.mark.parametrize(
    ("process_name", "ours"), [("edm", "ddim"), ("edm", "euler"), ("ve", "ddim")]
)
def test_euler_in_s_is_euler_of_diffusers(plane: Mixture, process_name: str, ours: str) -> None:
    scheduler: Any = diffusers.EulerDiscreteScheduler(
        prediction_type="sample", use_karras_sigmas=True
    )
    scheduler.set_timesteps(30)
    process = process_of(process_name)
    times = _times(process, scheduler.sigmas[:-1])

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        scheduler.is_scale_input_called = True
        result: Tensor = scheduler.step(denoise(x), scheduler.timesteps[i], x).prev_sample
        return result

    _compare(plane, process, stepper_of(ours), times, torch.float32, FLOAT32, step)


def test_euler_under_rectified_flow_is_flow_matching_of_diffusers(plane: Mixture) -> None:
    """There dx/dt = eps - x_0, and Euler in t is DDIM."""
    scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(30)
    process = process_of("rectified_flow")
    t = scheduler.sigmas[1:-1].double()  # the first is t = 1, where alpha vanishes
    times = _times(process, t / (1 - t))
    for name in ("euler", "ddim"):
        scheduler.set_timesteps(30)
        scheduler.set_begin_index(1)

        def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
            velocity = (x - denoise(x)) / t[i].float()
            moment = scheduler.timesteps[i + 1]
            result: Tensor = scheduler.step(velocity, moment, x).prev_sample
            return result

        _compare(plane, process, stepper_of(name), times, torch.float32, FLOAT32, step)


@pytest.mark.parametrize("process_name", ["ve", "edm"])
def test_reverse_diffusion_is_that_of_diffusers(
    plane: Mixture, process_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 40
    scheduler: Any = diffusers.ScoreSdeVeScheduler(
        num_train_timesteps=count, sigma_min=0.01, sigma_max=50.0
    )
    scheduler.set_timesteps(count)
    scheduler.set_sigmas(count)
    scheduler.discrete_sigmas = scheduler.discrete_sigmas.double()
    process, noise = process_of(process_name), Replay((32, 2), torch.float64)
    monkeypatch.setattr(scheduling_sde_ve, "randn_tensor", noise.last)
    times = _times(process, scheduler.discrete_sigmas.flip(0))

    def step(i: int, x: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        index = count - 1 - i
        score = (denoise(x) - x) / scheduler.discrete_sigmas[index] ** 2
        # Half a place above the index: the scheduler truncates t (count - 1).
        moment = (index + 0.5) / (count - 1)
        result: Tensor = scheduler.step_pred(score, moment, x).prev_sample
        return result

    stepper = stepper_of("reverse_diffusion")
    _compare(plane, process, stepper, times, torch.float64, FLOAT64, step, noise)
