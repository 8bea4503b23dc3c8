"""The reach of a stepper: every process, both directions, the U-Net, any device."""

from __future__ import annotations

import math

import torch

from bench.core.errors import BenchError
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.sample import Sampler
from bench.core.solver import Adaptive, OdeSolver
from bench.project import PROJECT
from bench.registry import Kind, build, load_registry
from bench.testing.conformance.device import demand_any_device
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.laboratory import S_MIN, AnyStepper, Run, path, times_for
from bench.testing.mixture import LineMixture
from bench.testing.plugins import model_of, process_of


def every_process_works(stepper: AnyStepper) -> None:
    """Finite samples of the right shape under every process of the host, from 1 step on."""
    own = [e for e in load_registry().of(Kind.PROCESS) if e.source.distribution == PROJECT]
    for entry in own:
        process = build(entry.cls, {})
        assert isinstance(process, NoiseProcess)
        # An adaptive method sees the ends alone.
        for steps in (1,) if isinstance(stepper, Adaptive) else (1, 2, 3, 7):
            times = path(process, steps, s_min=max(S_MIN, process.s_range[0]))
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
    """Finite samples on the U-Net that the package ships, at a budget of 10, or of one step."""
    loaded = model_of("mnist_unet").load(torch.device("cpu"), torch.float32)
    process = process_of("vp")
    low, high = max(loaded.s_min, process.s_range[0]), min(loaded.s_max, process.s_range[1])
    times: tuple[Time, ...] = (process.at_s(high), process.at_s(low))
    if not isinstance(stepper, Adaptive):
        try:
            steps = Sampler(stepper).steps_for(max(10, Sampler(stepper).cost(1)))
        except BenchError as error:
            raise NotApplicable(str(error)) from None
        times = path(process, steps)
    run = Run(4, 4, dtype=torch.float32, model=loaded.alike(), shape=loaded.shape)
    samples = run.of(stepper, times)
    demand(
        bool(torch.isfinite(samples).all()),
        "finite samples of the shipped U-Net at few evaluations",
        f"{int((~torch.isfinite(samples)).sum())} of {samples.numel()} entries are not finite",
        "look for divisions by steps or levels that can vanish",
    )


def device_does_not_matter(stepper: AnyStepper) -> None:
    """Everything runs where ``x`` is, without waiting for it (tried on torch's meta device)."""
    if isinstance(stepper, Adaptive):
        raise NotApplicable("an adaptive method reads its error norms; tried on real devices only")
    times = times_for(stepper, 6)
    demand_any_device(lambda problem, x: stepper.solve(problem, x, times))
