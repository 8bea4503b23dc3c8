"""Checks of models and metrics."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from bench.core.classes import Conditional
from bench.core.errors import BenchError, UnsupportedError
from bench.core.guided import guide
from bench.core.metric import Measurement, Metric, SampleMetric, SolverMetric, Trial
from bench.core.model import CountedDenoiser, Denoiser
from bench.core.noise import NoiseStream
from bench.core.sample import Draw, Sampler, generate
from bench.core.target import Model, ScoreModel
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.laboratory import path
from bench.testing.plugins import guidance_of, model_of, ode_solver_of, process_of, task_of


@lru_cache(maxsize=2)
def _load(model: Model) -> ScoreModel:
    try:
        loaded = model.load(torch.device("cpu"), torch.float32)
    except BenchError as error:
        raise NotApplicable(f"cannot be loaded here: {error}") from None
    own = loaded.denoiser
    # The kit's rows are no samples, whose seeds would tell their classes.
    drawn = isinstance(own, Conditional) and own.label is None
    return replace(loaded, denoiser=replace(own, label=0)) if drawn else loaded  # type: ignore[type-var]


def _points(model: ScoreModel, count: int, s: float) -> Tensor:
    return NoiseStream(0, "prior", 0, count, model.shape).normal() * math.hypot(1.0, s)


def describes_itself(model: Model) -> None:
    """Shape, noise range, weights and target are given."""
    loaded = _load(model)
    demand(
        0 < loaded.s_min < loaded.s_max and bool(loaded.weights) and bool(loaded.target.data),
        "0 < s_min < s_max, a hash of the weights and a name of the data",
        f"s from {loaded.s_min} to {loaded.s_max}, weights '{loaded.weights}', data "
        f"'{loaded.target.data}'",
        "fill in every field of ScoreModel",
    )


def denoises(model: Model) -> None:
    """D has the shape and dtype of y, and is y itself where there is hardly any noise."""
    loaded = _load(model)
    with torch.no_grad():
        for s in (loaded.s_min, math.sqrt(loaded.s_min * loaded.s_max), loaded.s_max):
            y = _points(loaded, 8, s)
            d = _denoiser(loaded, 8)(y, torch.tensor(s))
            demand(
                d.shape == y.shape and d.dtype == y.dtype and bool(torch.isfinite(d).all()),
                "D has the shape and dtype of y and is finite",
                f"shape {tuple(d.shape)}, {d.dtype} at s = {s:g}",
                "return E[x_0 | y] in the coordinates of y",
            )


def _denoiser(loaded: ScoreModel, samples: int) -> Denoiser:
    """That of the first samples, each of its own class where there are any."""
    return CountedDenoiser(loaded.denoiser).of_samples(0, 0, samples, torch.device("cpu"))


def samples_are_separate(model: Model) -> None:
    """A row of D depends on its own row of y alone; s may be one number or one for each row."""
    loaded = _load(model)
    s = math.sqrt(loaded.s_min * loaded.s_max)
    y = _points(loaded, 8, s)
    with torch.no_grad():
        many = _denoiser(loaded, 8)(y, torch.tensor(s))
        few = _denoiser(loaded, 2)(y[:2], torch.tensor(s))
        each = _denoiser(loaded, 8)(y, torch.full((8,), s))
    gap = float((many[:2] - few).abs().max())
    other = float((many - each).abs().max())
    demand(
        gap < 1e-3 and other < 1e-3,
        "the same D alone, in a batch, and with s of shape () or (n,)",
        f"differences of {gap:.1e} and {other:.1e}",
        "put the network into eval mode; use bench.api.rows_of for s",
    )


def measure_ddim(metric: Metric, steps: int) -> list[Measurement]:
    """Measure DDIM on a closed form, under its exact posterior where the metric ``answers``.

    Raises:
        NotApplicable: the metric refuses it.
    """
    loaded, process = _load(model_of("gaussian_mixture")), process_of("vp")
    questions = guidance = None
    if metric.answers:
        posed, guidance = task_of("inpainting", draws=8), guidance_of("exact")
        questions = posed.pose(loaded, torch.device("cpu"), torch.float32)
    model = guide(loaded, guidance, questions, torch.float32)
    draw, sampler = Draw(0, 128, 64, loaded.shape), Sampler(ode_solver_of("ddim"))
    trial = Trial(model, process, sampler, path(process, steps), draw, questions=questions)
    try:
        return measure(metric, trial)
    except UnsupportedError as refusal:
        raise NotApplicable(str(refusal)) from None


def measures(metric: Metric) -> None:
    """A finite number with unit and count on a closed form, or a refusal that says why."""
    found = measure_ddim(metric, 10)
    for number in found:
        demand(
            math.isfinite(number.value) and number.n > 0 and bool(number.metric),
            "finite numbers, each with its name and the count it rests on",
            repr(number),
            "fill in every field of Measurement",
        )
    demand(bool(found), "at least one measurement", "none", "return a list of Measurement")


def measure(metric: Metric, trial: Trial) -> list[Measurement]:
    """Measure ``trial`` as the host does."""
    with torch.no_grad():
        if isinstance(metric, SolverMetric):
            return list(metric.measure(trial))
        assert isinstance(metric, SampleMetric)
        accumulator = metric.start(trial)
        counted = CountedDenoiser(trial.model.denoiser)
        for batch in generate(trial.process, counted, trial.sampler, trial.times, trial.draw):
            accumulator.add(batch)
        return list(accumulator.result())
