"""Checks of guidances."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.evaluations import Evaluations
from bench.core.guidance import Guidance
from bench.core.guided import BoundGuidance, GuidedModel, guide
from bench.core.model import CountedDenoiser
from bench.core.noise import NoiseStream
from bench.core.sample import Draw, Sampler, generate
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.laboratory import path
from bench.testing.conformance.randomness import demand_own_randomness
from bench.testing.plugins import ode_solver_of, process_of, stepper_of
from bench.testing.posed import SHAPE, Posed, posed_model

AnyGuidance = Guidance[Any]
LEVELS = (80.0, 5.0, 1.0, 0.3, 0.01)
CPU = torch.device("cpu")


def _bind(
    guidance: AnyGuidance,
    count: int = 6,
    posed: Posed | None = None,
    counter: Evaluations | None = None,
) -> BoundGuidance:
    """The guided denoiser of the first samples.

    Raises:
        NotApplicable: it needs what the kit's model has not.
    """
    posed = posed or Posed()
    questions = posed if posed.labels or posed.observed else None
    model = guide(posed_model(), guidance, questions, posed.dtype)
    assert isinstance(model.denoiser, GuidedModel)
    try:
        bound = model.denoiser.of_samples(0, 0, count, CPU, counter or Evaluations(), 64)
        y = torch.ones(count, *SHAPE, dtype=posed.dtype)
        bound.split(y, torch.ones((), dtype=posed.dtype))
        if counter:
            counter.rows = counter.vjp_rows = 0
        fresh: BoundGuidance = replace(bound, memory=guidance.start(bound.given))
    except UnsupportedError as reason:
        raise NotApplicable(str(reason)) from None
    return fresh


def _points(count: int, s: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return NoiseStream(3, "prior", 0, count, SHAPE, dtype).normal().mul_(math.hypot(1, s))


def _level(s: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(s, dtype=dtype)


def passes_are_honest(guidance: AnyGuidance) -> str:
    """Measured evaluations and vector-Jacobian products of a call are the declared ones."""
    most = guidance.passes
    for s in LEVELS:
        counter = Evaluations()
        with torch.no_grad():
            _bind(guidance, 6, None, counter).split(_points(6, s), _level(s))
        seen, declared = (counter.rows / 6, counter.vjp_rows / 6), guidance.passes_at(s)
        demand(
            seen == tuple(declared) and sum(seen) <= sum(most),
            f"{declared.forward} evaluations and {declared.vjp} vector-Jacobian products at "
            f"s = {s:g}, and no more than passes = {tuple(most)} anywhere",
            f"{seen[0]:g} and {seen[1]:g}",
            "make `passes` (and `passes_at`, where s decides) say what `guide` evaluates",
        )
    return f"{most.forward} + {most.vjp}"


def denoises(guidance: AnyGuidance) -> None:
    """Both parts have the shape and dtype of y and are finite; y is not modified."""
    for dtype in (torch.float64, torch.float32):
        bound = _bind(guidance, 6, Posed(dtype=dtype))
        for s in LEVELS:
            y = _points(6, s, dtype)
            copy = y.clone()
            with torch.no_grad():
                parts = bound.split(y, _level(s, dtype))
            sound = [
                d.shape == y.shape and d.dtype == dtype and bool(torch.isfinite(d).all())
                for d in parts
            ]
            demand(
                all(sound) and torch.equal(y, copy),
                "d and unguided have the shape and dtype of y and are finite; y is as it was",
                f"sound: {sound}, y modified: {not torch.equal(y, copy)}, at s = {s:g}",
                "return Guided(d, unguided), both new tensors like y",
            )


def batch_does_not_matter(guidance: AnyGuidance) -> None:
    """A sample is the same among four and among 128."""
    many, few = samples_of(guidance, 128), samples_of(guidance, 4)
    gap = float((many[:4] - few).abs().max())
    demand(
        gap <= 1e-8 * float(many.abs().max()),
        "samples do not depend on their batch",
        f"the same samples differ by {gap:.1e} in batches of 128 and 4",
        "take norms and scales per sample (dim 1 and up)",
    )


def randomness_is_its_own(guidance: AnyGuidance) -> None:
    """No global random state is touched; noise is drawn of `given.noise`, and that is declared."""
    demand_own_randomness(lambda: samples_of(guidance, 8), "; keep it in what `start` returns")
    first, other = (_end(guidance, seed) for seed in (0, 1))
    demand(
        guidance.stochastic or torch.equal(first, other),
        "a guidance that draws noise declares stochastic = True",
        "its result depends on the seed",
        "set `stochastic: ClassVar[bool] = True`",
    )


def _end(guidance: AnyGuidance, seed: int) -> Tensor:
    """A settled state and D at it, under the guidance's own noise of this seed."""
    bound = _bind(guidance)
    noise = NoiseStream(seed, "guidance", 0, 6, SHAPE, torch.float64)
    bound = replace(bound, given=replace(bound.given, noise=noise))
    now = process_of("vp").at_s(1.0)
    with torch.no_grad():
        d = bound(_points(6, 1.0), _level(1.0))
        return bound.settle(d, now)


def condition_is_used(guidance: AnyGuidance) -> None:
    """`observes` and `classifies` say whether the observation, or a class, changes the result."""
    result = _result(guidance, Posed())
    moved = not torch.equal(result, _result(guidance, Posed(shift=1.0)))
    demand(
        moved == guidance.observes,
        f"observes = {guidance.observes}, and so does the result",
        f"another observation {'changes' if moved else 'does not change'} it",
        "set `observes: ClassVar[bool]` to what `guide` and `settle` do",
    )
    turned = not torch.equal(result, _result(guidance, Posed(turn=1)))
    demand(
        turned or not guidance.classifies,
        "classifies = True: the classes change the result",
        "the same result for other classes",
        "use given.labels, or drop `classifies`",
    )


def _result(guidance: AnyGuidance, posed: Posed) -> Tensor:
    bound = _bind(guidance, 6, posed)
    y = _points(6, 1.0)
    with torch.no_grad():
        return torch.cat([bound(y, _level(1.0)), bound.settle(y, process_of("edm").at_s(1.0))])


def samples_of(guidance: AnyGuidance, count: int) -> Tensor:
    """Samples of the kit's model under it, in one batch."""
    _bind(guidance)
    process = process_of("vp")
    counted = CountedDenoiser(guide(posed_model(), guidance, Posed(), torch.float64).denoiser)
    stepper = stepper_of("ancestral") if guidance.splits else ode_solver_of("ddim")
    draw = Draw(0, count, count, SHAPE, torch.float64)
    with torch.no_grad():
        batches = generate(process, counted, Sampler(stepper), path(process, 6), draw)
        return torch.cat([batch.x for batch in batches])
