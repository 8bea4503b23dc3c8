"""The samples of a stepper: the same in every batch, precision and repetition."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.model import CountedDenoiser
from bench.core.noise import NoiseStream
from bench.core.problem import Problem
from bench.core.solver import Adaptive
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.laboratory import SHAPE, AnyStepper, Run, denoise, times_for
from bench.testing.conformance.randomness import demand_own_randomness
from bench.testing.plugins import process_of


def batch_does_not_matter(stepper: AnyStepper) -> None:
    """A sample is the same alone, among four and among 192."""
    times = times_for(stepper, 6)
    whole = Run(192, 192).of(stepper, times)
    shards = Run(192, 64).of(stepper, times)
    _same(whole, shards, "in a batch of 192", "in batches of 64")
    if stepper.batch_coupled:
        raise NotApplicable("declares batch_coupled; the host runs it in shards of 64")
    # Four: as many as an image of the test is wide, where a wrong broadcast goes unnoticed.
    few = Run(4, 4).of(stepper, times)
    _same(whole[:4], few, "in a batch of 192", "in a batch of 4")


def _same(one: Tensor, other: Tensor, where: str, elsewhere: str) -> None:
    scale = float(one.abs().max())
    gap = float((one - other).abs().max())
    demand(
        gap <= 1e-8 * scale,
        "samples do not depend on their batch",
        f"the same samples differ by {gap:.1e} {where} and {elsewhere}",
        "take norms, means and step sizes per sample (dim 1 and up), or set batch_coupled = True",
    )


def precision_does_not_matter(stepper: AnyStepper) -> None:
    """float32 and float64 give the same samples, each in its own dtype."""
    times = times_for(stepper, 6)
    double = Run().of(stepper, times)
    single = Run(dtype=torch.float32).of(stepper, times)
    # Rounding may move an adaptive method's step sizes.
    limit = 5e-2 if isinstance(stepper, Adaptive) else 1e-3
    gap = float((single.double() - double).square().mean().sqrt() / double.square().mean().sqrt())
    demand(
        gap < limit,
        "float32 agrees with float64",
        f"a relative difference of {gap:.1e}",
        "compute schedules from `now` and `then`, which are float64, not from float32 tensors",
    )


def randomness_is_its_own(stepper: AnyStepper) -> None:
    """No global random state is touched; the same seed gives the same samples."""
    times = times_for(stepper, 6)
    demand_own_randomness(lambda: Run().of(stepper, times), "; carry it in `state`")
    if not stepper.stochastic:
        demand(
            torch.equal(_from_ones(stepper, 0), _from_ones(stepper, 1)),
            "an ODE solver draws no noise",
            "its result depends on the noise stream",
            "publish it through `bench_predictors`, as a Predictor",
        )


def _from_ones(stepper: AnyStepper, seed: int) -> Tensor:
    process = process_of("vp")
    times = times_for(stepper, 4)
    noise = NoiseStream(seed, "sampler", 0, 4, SHAPE, torch.float64)
    x = torch.ones(4, *SHAPE, dtype=torch.float64) * times[0].sigma
    return stepper.solve(Problem(process, CountedDenoiser(denoise), noise), x, times)


def input_is_left_alone(stepper: AnyStepper) -> None:
    """``x`` is not modified in place."""
    process = process_of("vp")
    times = times_for(stepper, 6)
    noise = NoiseStream(0, "sampler", 0, 4, SHAPE, torch.float64)
    problem = Problem(process, CountedDenoiser(denoise), noise)
    x = NoiseStream(0, "prior", 0, 4, SHAPE, torch.float64).normal() * times[0].sigma
    try:
        state = stepper.start(times)
        with torch.no_grad():
            for now, then in pairwise(times):
                copy = x.clone()
                result, state = stepper.step(problem, x, now, then, state)
                demand(
                    torch.equal(x, copy),
                    "`x` is as it was after the step",
                    f"it was modified in place at s = {now.s:.3g}",
                    "write into new tensors (`combine` makes one), or clone first",
                )
                x = result
    except UnsupportedError as refusal:
        raise NotApplicable(str(refusal)) from None
