"""Every solver under every guidance: finite, at the declared price, whatever the batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    Adaptive,
    CountedDenoiser,
    Draw,
    PerSample,
    Sampler,
    ScoreModel,
    Stepper,
    Trial,
    UnsupportedError,
    generate,
    guide,
)
from bench.core.evaluations import Evaluations
from bench.registry import Entry, Kind, build, load_registry
from bench.run.condition import check_fit
from bench.testing import grid_of, model_of, process_of

CASES: dict[str, dict[str, object]] = {
    "cfg": {"s_low": 0.05, "s_high": 4.0, "schedule": "cosine"},
    "cfg_pp": {},
    "apg": {},
    "cfg_zero_star": {"s_high": 3.0},
    "autoguidance": {"schedule": "linear"},
    "classifier": {"s_low": 0.1},
    "temperature": {},
}
SEED, COUNT = 3, 9
COARSE = 1e-3
"""For the time it takes: test_gaussians.py has the accuracy, at 1e-6."""


def _guidance(name: str) -> Any:
    return build(load_registry().get(name, Kind.GUIDANCE).cls, CASES[name])


def _steppers() -> list[Entry]:
    """Without schedulers of diffusers, which have noise levels of their own."""
    found = load_registry().of(Kind.PREDICTOR, Kind.ODE_SOLVER)
    own = [e for e in found if e.source.distribution == "scorebench"]
    return [e for e in own if not e.name.startswith("diffusers")]


def _stepper(entry: Entry) -> Stepper[Any]:
    """The solver; one that chooses its steps with a tolerance of ``COARSE`` at least."""
    stepper: Any = build(entry.cls, {})
    if isinstance(stepper, Adaptive):
        least = 0.05 if stepper.stochastic else COARSE  # ggf's own range ends at 0.05
        tolerance = max(least, getattr(stepper, stepper.ladder))
        stepper = build(entry.cls, {stepper.ladder: tolerance})
    assert isinstance(stepper, Stepper)
    return stepper


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return model_of("class_mixture", depth=1).load(torch.device("cpu"), torch.float64)


def _samples(
    model: ScoreModel, guidance: Any, sampler: Sampler, batch: int
) -> tuple[Tensor, Evaluations]:
    process = process_of("vp")
    guided = guide(model, guidance, None, torch.float64)
    times = grid_of("karras").times(process, 4, 0.01, 40.0)
    if sampler.adaptive:
        times = (times[0], times[-1])
    counted = CountedDenoiser(guided.denoiser)
    draw = Draw(SEED, COUNT, batch, model.shape, torch.float64)
    check_fit(Trial(guided, process, sampler, times, draw))
    x = torch.cat([b.x for b in generate(process, counted, sampler, times, draw)])
    return x, counted.evaluations


def _declared(guidance: Any, sampler: Sampler) -> int:
    process = process_of("vp")
    times = grid_of("karras").times(process, 4, 0.01, 40.0)
    return sampler.cost_on(process, times)


def _refusal(guidance: Any, stepper: Any) -> str:
    """Why the solver cannot run under it; "" if it can."""
    if guidance.splits and not stepper.renoises:
        return "acts on the noise"
    if stepper.observes:
        return "samples given an observation"
    if guidance.name == "apg" and isinstance(stepper, PerSample):
        return "goes with the whole batch"
    return ""


@pytest.mark.parametrize("entry", _steppers(), ids=lambda e: e.name)
@pytest.mark.parametrize("name", CASES)
def test_every_solver_runs_or_says_why_not(name: str, entry: Entry, model: ScoreModel) -> None:
    guidance, stepper = _guidance(name), _stepper(entry)
    price_at = (lambda s: sum(guidance.passes_at(s))) if guidance.varies else None
    sampler = Sampler(stepper, price=sum(guidance.passes), price_at=price_at)
    reason = _refusal(guidance, stepper)
    if reason:
        with pytest.raises(UnsupportedError, match=reason):
            _samples(model, guidance, sampler, COUNT)
        return
    x, counter = _samples(model, guidance, sampler, COUNT)
    assert bool(torch.isfinite(x).all())
    if not isinstance(stepper, Adaptive):
        assert counter.rows + counter.vjp_rows == COUNT * _declared(guidance, sampler)
    if not stepper.batch_coupled:
        other, _ = _samples(model, guidance, sampler, 4)
        torch.testing.assert_close(other, x, rtol=1e-8, atol=1e-8)


def test_every_guidance_is_here() -> None:
    own = {
        e.name
        for e in load_registry().of(Kind.GUIDANCE)
        if e.cls.__module__.startswith("bench_plugins.guidance.")
    }
    assert own == set(CASES)
