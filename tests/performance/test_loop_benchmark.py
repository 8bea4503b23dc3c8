"""Overhead of the sampling loop beside a bare loop and diffusers' schedulers.

The network is free: it hands out a tensor made beforehand, so that only the samplers are timed.
Times of different runs, and of different machines, say little: each benchmark interleaves all
contestants and reports ratios to the bare loop of the same method in ``extra_info``. Nothing
asserts a time; what is asserted is that all contestants compute the same samples.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from bench.api import CountedDenoiser, NoiseProcess, OdeSolver, Problem, Sampler, Time
from bench.registry import Kind, load_registry

# diffusers builds numpy arrays from tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPE = (64, 3, 32, 32)
STEPS = 20
ROUNDS = 5

Loop = Callable[[], Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


def _start() -> tuple[Tensor, Tensor]:
    """x_T before scaling, and what the free network answers."""
    generator = torch.Generator().manual_seed(0)
    noise, d = (torch.randn(SHAPE, generator=generator) for _ in range(2))
    return noise, 0.5 * d


def _ours(solver_name: str, process_name: str, levels: Tensor, d: Tensor, x: Tensor) -> Loop:
    process = load_registry().get(process_name, Kind.PROCESS).cls()
    solver = load_registry().get(solver_name, Kind.ODE_SOLVER).cls()
    assert isinstance(process, NoiseProcess)
    assert isinstance(solver, OdeSolver)
    sampler = Sampler(solver, finish=False)
    times: list[Time] = [process.at_s(s) for s in levels.double().tolist()]
    problem = Problem(process, CountedDenoiser(lambda y, s: d))
    return lambda: sampler.run(problem, x, times)


def _scheduler(scheduler: Any, d: Tensor, x: Tensor) -> Loop:
    def run() -> Tensor:
        scheduler.set_timesteps(STEPS)
        if hasattr(scheduler, "is_scale_input_called"):
            scheduler.is_scale_input_called = True
        result = x
        for t in scheduler.timesteps[:-1]:  # the last step is our final denoise
            result = scheduler.step(d, t, result).prev_sample
        return result

    return run


def _bare_euler(levels: Tensor, d: Tensor, x: Tensor) -> Loop:
    ratios = (levels[1:].double() / levels[:-1].double()).tolist()

    def run() -> Tensor:
        y = x.clone()
        for ratio in ratios:
            y.lerp_(d, 1 - ratio)
        return y

    return run


def _bare_ddim(levels: Tensor, d: Tensor, x: Tensor) -> Loop:
    """In normalised coordinates y = x / alpha, where it is Euler's method in s."""
    s = levels.double().tolist()
    shares = [1 - low / high for high, low in itertools.pairwise(s)]

    def run() -> Tensor:
        y = x * math.hypot(1, s[0])
        for share in shares:
            y.lerp_(d, share)
        return y.div_(math.hypot(1, s[-1]))

    return run


def _bare_2m(levels: Tensor, d: Tensor, x: Tensor) -> Loop:
    """DPM-Solver++(2M) as two interpolations in normalised coordinates."""
    s = levels.double().tolist()
    shares = [1 - low / high for high, low in itertools.pairwise(s)]
    h = [-math.log1p(-share) for share in shares]
    weights = [-0.5 * now / before for before, now in itertools.pairwise(h)]

    def run() -> Tensor:
        y, mixed, previous = x * math.hypot(1, s[0]), torch.empty_like(x), d
        y.lerp_(d, shares[0])
        for share, weight in zip(shares[1:], weights, strict=True):
            torch.lerp(d, previous, weight, out=mixed)
            y.lerp_(mixed, share)
            previous = d
        return y.div_(math.hypot(1, s[-1]))

    return run


def _euler() -> tuple[Loop, Loop, Loop]:
    noise, d = _start()
    scheduler: Any = EulerDiscreteScheduler(prediction_type="sample", use_karras_sigmas=True)
    scheduler.set_timesteps(STEPS)
    levels = scheduler.sigmas[:-1]
    x = noise * levels[0]
    ours = _ours("ddim", "edm", levels, d, x)
    return _bare_euler(levels, d, x), ours, _scheduler(scheduler, d, x)


def _ddim() -> tuple[Loop, Loop, Loop]:
    noise, d = _start()
    scheduler: Any = DDIMScheduler(prediction_type="sample", clip_sample=False)
    scheduler.set_timesteps(STEPS)
    kept = scheduler.alphas_cumprod[scheduler.timesteps].double()
    levels = ((1 - kept) / kept).sqrt()
    ours = _ours("ddim", "vp", levels, d, noise)
    return _bare_ddim(levels, d, noise), ours, _scheduler(scheduler, d, noise)


def _dpmpp_2m() -> tuple[Loop, Loop, Loop]:
    noise, d = _start()
    scheduler: Any = DPMSolverMultistepScheduler(
        prediction_type="sample", use_karras_sigmas=True, lower_order_final=False
    )
    scheduler.set_timesteps(STEPS)
    levels = scheduler.sigmas[:-1]
    ours = _ours("dpmpp_2m", "vp", levels, d, noise)
    return _bare_2m(levels, d, noise), ours, _scheduler(scheduler, d, noise)


@pytest.mark.parametrize("contest", [_euler, _ddim, _dpmpp_2m], ids=["euler", "ddim", "dpmpp_2m"])
def test_loop_overhead(
    benchmark: BenchmarkFixture, contest: Callable[[], tuple[Loop, Loop, Loop]]
) -> None:
    bare, ours, theirs = contest()
    expected = bare()
    torch.testing.assert_close(ours(), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(theirs(), expected, rtol=1e-4, atol=1e-4)

    seconds: dict[str, list[float]] = {"bare": [], "ours": [], "diffusers": []}
    for _ in range(ROUNDS):
        for name, loop in zip(seconds, (bare, ours, theirs), strict=True):
            begin = time.process_time()
            loop()
            seconds[name].append(time.process_time() - begin)
    floor = statistics.median(seconds["bare"])
    benchmark.extra_info["steps"] = STEPS - 1
    benchmark.extra_info["shape"] = list(SHAPE)
    for name in ("ours", "diffusers"):
        ratio = statistics.median(seconds[name]) / floor
        benchmark.extra_info[f"{name}_over_bare"] = round(ratio, 2)
    benchmark.pedantic(ours, rounds=ROUNDS, warmup_rounds=1)
