"""Checks of predictors and ODE solvers."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.core.errors import BenchError, UnsupportedError
from bench.core.model import CountedDenoiser
from bench.core.noise import NoiseStream
from bench.core.problem import Problem
from bench.core.process import NoiseProcess
from bench.core.sample import Sampler
from bench.core.solver import Adaptive, OdeSolver, Stepper
from bench.core.target import Model
from bench.registry import Kind, build, load_registry
from bench.testing.confirmed import SLACK, confirmed_order
from bench.testing.conformance.finding import Nonconformity, NotApplicable, demand
from bench.testing.conformance.laboratory import (
    S_MIN,
    SHAPE,
    AnyStepper,
    Run,
    Witness,
    denoise,
    path,
    times_for,
)
from bench.testing.line import LineMixture
from bench.testing.setting import process_of

BUDGETS = range(1, 31)
# Grids on which the error at the start, where multistep methods have low order, is small; and on
# which no leading errors cancel, as those of Euler-Maruyama do on equal ratios of s.
ODE_SETTINGS = (("vp", "karras"), ("edm", "log_snr"))
WEAK_SETTINGS = (("vp", "quadratic"), ("edm", "quadratic"))


def cost_is_honest(stepper: AnyStepper) -> str:
    """Measured network evaluations are the declared ones, for every budget from 1 to 30."""
    if isinstance(stepper, Adaptive):
        return _adaptive_cost(stepper)
    tried: set[int] = set()
    reason = ""
    for budget in BUDGETS:
        try:
            steps = Sampler(stepper, finish=False).steps_for(budget)
        except BenchError:
            continue  # not even one step fits; the host records the cell as unsupported
        if steps in tried:
            continue
        tried.add(steps)
        try:
            _compare_cost(stepper, budget, steps)
        except NotApplicable as refusal:
            reason = str(refusal)
            tried.discard(steps)
    if not tried:
        raise NotApplicable(reason or "no budget up to 30 pays for one step")
    exact = sum(stepper.cost(steps) in BUDGETS for steps in tried)
    return f"{exact} of the {len(BUDGETS)} budgets are spent to the last evaluation"


def _compare_cost(stepper: AnyStepper, budget: int, steps: int) -> None:
    witness, samples = Witness(), 5
    counted = CountedDenoiser(witness)
    Run(samples, samples, model=counted).of(stepper, times_for(stepper, steps))
    declared, measured = stepper.cost(steps), witness.rows / samples
    if witness.rows != counted.evaluations.rows:
        raise Nonconformity(
            "every evaluation goes through `problem`",
            f"{measured:g} evaluations a sample reached the network, "
            f"{counted.evaluations.nfe(samples):g} were counted",
            "call problem.denoise, score, eps or velocity; never a network behind them",
        )
    if measured != declared:
        calls = " (several of them joined in one call)" if witness.largest > samples else ""
        raise Nonconformity(
            f"cost({steps}) = {declared} network evaluations a sample at a budget of {budget}",
            f"{measured:g}{calls}",
            "make `cost(steps)` return what `steps` steps evaluate, all stages included",
        )


def _adaptive_cost(stepper: AnyStepper) -> str:
    witness, samples = Witness(), 5
    counted = CountedDenoiser(witness)
    Run(samples, samples, model=counted).of(stepper, times_for(stepper, 1))
    demand(
        witness.rows == counted.evaluations.rows > 0,
        "every evaluation goes through `problem`",
        f"{witness.rows} rows reached the network, {counted.evaluations.rows} were counted",
        "call problem.denoise, score, eps, velocity or problem.model",
    )
    return f"{witness.rows / samples:g} evaluations a sample with its default tolerances"


def order_is_as_claimed(stepper: AnyStepper) -> str:
    """The measured order of convergence is at least the claimed one, on two grids."""
    if isinstance(stepper, Adaptive):
        return _tolerance_is_obeyed(stepper)
    seen = []
    for process, grid in ODE_SETTINGS if isinstance(stepper, OdeSolver) else WEAK_SETTINGS:
        try:
            measured = _order(stepper, process, grid)
        except UnsupportedError as refusal:
            raise NotApplicable(str(refusal)) from None
        demand(
            measured > stepper.order - SLACK,
            f"order {stepper.order}, as the plugin claims",
            f"{measured:.2f} under {process} on {grid}",
            "claim the order that is measured, or look for the wrong coefficient or time",
        )
        seen.append(f"{measured:.2f} under {process}")
    return f"order {stepper.order} claimed, measured {', '.join(seen)}"


def _order(stepper: AnyStepper, process: str, grid: str) -> float:
    try:
        return confirmed_order(stepper, process, grid)
    except UnsupportedError:
        raise
    except BenchError as error:
        raise NotApplicable(str(error)) from None


def _tolerance_is_obeyed(stepper: AnyStepper) -> str:
    if stepper.stochastic:
        raise NotApplicable("an adaptive stochastic method has no order to measure")
    assert isinstance(stepper, Adaptive)
    mixture, process = LineMixture(), process_of("vp")
    u = torch.linspace(0.03, 0.97, 31, dtype=torch.float64)[:, None]
    times = process.at_s(20.0), process.at_s(0.05)
    start, exact = mixture.quantile(u, 20.0), mixture.quantile(u, 0.05)
    errors = []
    for tolerance in (1e-1, 1e-3, 1e-5):
        tight = build(type(stepper), {stepper.ladder: tolerance} | _absolute(stepper, tolerance))
        end = tight.solve(Problem(process, mixture.denoise), start * times[0].alpha, times)
        errors.append(float((end / times[1].alpha - exact).abs().median()))
    seen = f"errors {', '.join(f'{error:.1e}' for error in errors)}"
    demand(
        errors[2] < errors[0] / 10 and errors[2] < 1e-2,
        f"errors fall as `{stepper.ladder}` falls from 1e-1 to 1e-5",
        seen,
        f"use `{stepper.ladder}` in the acceptance of a step",
    )
    return f"{seen} at {stepper.ladder} 1e-1, 1e-3, 1e-5"


def _absolute(stepper: AnyStepper, tolerance: float) -> dict[str, object]:
    """The absolute tolerance, where it is a parameter with a number as its default."""
    return {"atol": tolerance} if isinstance(getattr(stepper, "atol", None), float) else {}


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
    stir()
    before = random_states()
    first = Run().of(stepper, times)
    after = random_states()
    touched = [name for name, state in before.items() if state != after[name]]
    demand(
        not touched,
        "no global random state is touched",
        f"the state of {', '.join(touched)} changed",
        "draw from problem.normal() and problem.uniform() alone; never seed anything",
    )
    demand(
        torch.equal(first, Run().of(stepper, times)),
        "the same seed gives the same samples",
        "two runs of one plugin differ",
        "keep no state on the class, the instance or the module; carry it in `state`",
    )
    if not stepper.stochastic:
        demand(
            torch.equal(_from_ones(stepper, 0), _from_ones(stepper, 1)),
            "an ODE solver draws no noise",
            "its result depends on the noise stream",
            "publish it through `bench_predictors`, as a Predictor",
        )


def stir() -> None:
    """Bring the global generators into a state that no seed of a plugin's gives."""
    torch.manual_seed(random.randrange(1 << 31))
    np.random.seed(random.randrange(1 << 31))  # noqa: NPY002
    random.random()


def random_states() -> dict[str, bytes]:
    """The global random states, by library."""
    numpy_state = np.random.get_state()  # noqa: NPY002 - it is the global one that is watched
    return {
        "torch": bytes(torch.get_rng_state().numpy().tobytes()),
        "numpy": repr([np.asarray(part).tolist() for part in numpy_state]).encode(),
        "random": repr(random.getstate()).encode(),
    }


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


def every_process_works(stepper: AnyStepper) -> None:
    """Finite samples of the right shape under every process of the host, from 1 step on."""
    own = [e for e in load_registry().of(Kind.PROCESS) if e.source.distribution == "scorebench"]
    for entry in own:
        process = build(entry.cls, {})
        assert isinstance(process, NoiseProcess)
        for steps in (1, 2, 3, 7):
            times = path(process, steps, s_min=max(S_MIN, process.s_range[0]))
            if isinstance(stepper, Adaptive):
                times = (times[0], times[-1])
            samples = Run(4, 4).of(stepper, times, process=process)
            demand(
                bool(torch.isfinite(samples).all()),
                "finite samples under every process",
                f"not finite under {process.name} with {steps} steps",
                "use `now.alpha` and `then.alpha`: x = alpha x_0 + sigma eps, alpha is not 1",
            )


def both_directions_work(stepper: AnyStepper) -> None:
    """Data to noise and back again, as likelihoods need it."""
    if not isinstance(stepper, OdeSolver):
        raise NotApplicable("a stochastic step runs from noise to data alone")
    mixture, process = LineMixture(), process_of("vp")
    u = torch.linspace(0.03, 0.97, 31, dtype=torch.float64)[:, None]
    steps = 400 if stepper.order == 1 else 120
    times = path(process, steps, s_min=0.05)
    if isinstance(stepper, Adaptive):
        times = (times[0], times[-1])
    problem = Problem(process, mixture.denoise)
    data, noise = mixture.quantile(u, times[-1].s), mixture.quantile(u, times[0].s)
    up = stepper.solve(problem, data * times[-1].alpha, times[::-1]) / times[0].alpha
    gap = float(((up - noise) / times[0].s).abs().median())
    demand(
        math.isfinite(gap) and gap < 0.05,
        "the ODE solver runs from data to noise too",
        f"it misses the noise by {gap:.2g} standard deviations with {len(times) - 1} steps",
        "let no formula depend on the sign of then.s - now.s",
    )


def finite_on_the_unet(stepper: AnyStepper) -> None:
    """Finite samples on the U-Net that the package ships, at a budget of 10."""
    model = build(load_registry().get("mnist_unet", Kind.MODEL).cls, {})
    assert isinstance(model, Model)
    loaded = model.load(torch.device("cpu"), torch.float32)
    process = process_of("vp")
    low, high = max(loaded.s_min, process.s_range[0]), min(loaded.s_max, process.s_range[1])
    times: tuple[Any, ...] = (process.at_s(high), process.at_s(low))
    if not isinstance(stepper, Adaptive):
        try:
            steps = Sampler(stepper).steps_for(10)
        except BenchError as error:
            raise NotApplicable(str(error)) from None
        times = path(process, steps)
    run = Run(4, 4, dtype=torch.float32, model=loaded.denoiser, shape=loaded.shape)
    samples = run.of(stepper, times)
    demand(
        bool(torch.isfinite(samples).all()),
        "finite samples of the shipped U-Net at 10 evaluations",
        f"{int((~torch.isfinite(samples)).sum())} of {samples.numel()} entries are not finite",
        "look for divisions by steps or levels that can vanish",
    )


def device_does_not_matter(stepper: AnyStepper) -> None:
    """Everything runs where ``x`` is, without waiting for it (tried on torch's meta device)."""
    if isinstance(stepper, Adaptive):
        raise NotApplicable("an adaptive method reads its error norms; tried on real devices only")
    process = process_of("vp")
    times = times_for(stepper, 6)
    device = torch.device("meta")
    noise = NoiseStream(0, "sampler", 0, 4, SHAPE, torch.float32, device)
    problem = Problem(process, CountedDenoiser(lambda y, s: y / (1 + s * s)), noise)
    x = torch.zeros(4, *SHAPE, device=device)
    try:
        end = stepper.solve(problem, x, times)
    except UnsupportedError as refusal:
        raise NotApplicable(str(refusal)) from None
    except (RuntimeError, NotImplementedError) as error:
        raise Nonconformity(
            "the step runs on any device and never waits for it",
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            "make new tensors with like x (torch.zeros_like, device=x.device); read no values "
            "(.item(), float(), if tensor) inside a step",
        ) from None
    demand(
        end.device == device,
        "the result is on the device of x",
        f"it is on {end.device}",
        "do not move tensors inside a step",
    )


def typed(plugin: object) -> AnyStepper:
    """The plugin as a stepper."""
    assert isinstance(plugin, Stepper)
    return plugin
