"""Puts a loaded model under the task and the guidance of a cell."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import torch

from bench.core.errors import UnsupportedError
from bench.core.guidance import Guidance
from bench.core.guided import guide
from bench.core.metric import Trial
from bench.core.target import Model, ScoreModel
from bench.core.task import Task
from bench.registry import registry_of
from bench.run.cell import Cell
from bench.run.spec import PluginSpec
from bench.run.unchanged import check_fingerprint


def model_of(cell: Cell, device: str) -> ScoreModel:
    """The model of a cell, loaded, under its task and its guidance.

    Raises:
        UnsupportedError: the task has no meaning for the model.
    """
    if cell.task is None and cell.guidance is None:
        return load_model(cell.model, device, cell.protocol.dtype)
    return _condition(cell.model, cell.task, cell.guidance, device, cell.protocol.dtype)


@lru_cache(maxsize=2)
def load_model(spec: PluginSpec, device: str, dtype: str) -> ScoreModel:
    """The network of a model plugin; the last two are kept."""
    model = cast(Model, spec.build(registry_of([spec.source])))
    check_fingerprint(spec, model)
    return model.load(torch.device(device), getattr(torch, dtype))


@lru_cache(maxsize=2)
def _condition(
    model: PluginSpec, task: PluginSpec | None, guidance: PluginSpec | None, device: str, dtype: str
) -> ScoreModel:
    """One object for equal arguments, so that metrics can keep what they know of it."""
    loaded, kind = load_model(model, device, dtype), getattr(torch, dtype)
    questions = None
    if task is not None:
        posed = cast(Task, task.build(registry_of([task.source])))
        check_fingerprint(task, posed)
        questions = posed.pose(loaded, torch.device(device), kind)
    rule = None
    if guidance is not None:
        rule = cast(Guidance[Any], guidance.build(registry_of([guidance.source])))
        check_fingerprint(guidance, rule)
    return guide(loaded, rule, questions, kind)


def check_fit(trial: Trial) -> None:
    """Refuse combinations in which something would be ignored.

    Raises:
        UnsupportedError: says what, and what to change.
    """
    stepper, guidance = trial.sampler.stepper, trial.guidance
    if guidance is not None and guidance.splits and not stepper.renoises:
        raise UnsupportedError(
            f"guidance '{guidance.name}' acts on the noise that a solver adds anew, and "
            f"'{stepper.name}' takes no step of that kind; use ddim, ddim_eta, ancestral or euler_a"
        )
    if guidance is not None and guidance.settles and trial.sampler.adaptive:
        raise UnsupportedError(
            f"guidance '{guidance.name}' changes the state between steps, and '{stepper.name}' "
            "chooses its own; use a solver on a grid"
        )
    if stepper.whole and (trial.sampler.corrector or (guidance and guidance.settles)):
        raise UnsupportedError(
            f"'{stepper.name}' runs its trajectory as a whole: no corrector, and no guidance that "
            "changes the state between steps"
        )
    if stepper.finishes and not trial.sampler.finish:
        raise UnsupportedError(f"'{stepper.name}' ends in x_0; it needs `finish: denoise`")
    if trial.sampler.denoising.threshold and len(trial.model.shape) != 3:
        raise UnsupportedError(
            "denoising.threshold is for images in [-1, 1], and the model's samples are none"
        )
    if stepper.observes and not trial.observed:
        raise UnsupportedError(
            f"'{stepper.name}' samples given an observation; give the suite a task with one"
        )
    if trial.observed and not stepper.observes and not (guidance and guidance.observes):
        raise UnsupportedError(
            "neither solver nor guidance uses the task's observation; name a guidance that does"
        )
