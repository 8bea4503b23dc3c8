"""The checks that each kind of plugin has to pass; carry one out."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.core.grid import TimeGrid
from bench.core.guidance import Guidance
from bench.core.metric import Metric
from bench.core.plugin import Plugin
from bench.core.process import NoiseProcess
from bench.core.solver import Corrector, Stepper
from bench.core.target import Model
from bench.core.task import Task
from bench.core.trainable import Trainable, TrainableClassifier
from bench.registry import Entry, Kind
from bench.testing.conformance import (
    correctors,
    guidances,
    models,
    networks,
    roles,
    schedules,
    tasks,
)
from bench.testing.conformance.common import (
    defaults,
    documentation_is_complete,
    parameters_validate,
)
from bench.testing.conformance.finding import Conformity, Finding, Nonconformity, NotApplicable
from bench.testing.conformance.state import state_is_left_alone
from bench.testing.conformance.steppers import calibration, cost, order, reach, samples


@dataclass(frozen=True)
class Check:
    """One thing that a plugin has to show.

    Attributes:
        name: what the kit calls it.
        carry_out: handed the plugin's class; raises Nonconformity or NotApplicable, may return
            what it measured.
    """

    name: str
    carry_out: Callable[[type[Plugin]], str | None]


_COMMON = (
    Check("documented", documentation_is_complete),
    Check("parameters", parameters_validate),
    Check("state", state_is_left_alone),
)


def _of(base: type[Any], **checks: Callable[[Any], str | None]) -> tuple[Check, ...]:
    """The common checks, and these of plugins that are built with their defaults."""

    def bind(check: Callable[[Any], str | None]) -> Callable[[type[Plugin]], str | None]:
        def carry_out(cls: type[Plugin]) -> str | None:
            plugin = defaults(cls)
            assert isinstance(plugin, base)
            return check(plugin)

        return carry_out

    return (*_COMMON, *(Check(name, bind(check)) for name, check in checks.items()))


_STEPPER = _of(
    Stepper,
    cost=cost.cost_is_honest,
    order=order.order_is_as_claimed,
    batch=samples.batch_does_not_matter,
    precision=samples.precision_does_not_matter,
    randomness=samples.randomness_is_its_own,
    input=samples.input_is_left_alone,
    processes=reach.every_process_works,
    directions=reach.both_directions_work,
    unet=reach.finite_on_the_unet,
    device=reach.device_does_not_matter,
    calibration=calibration.calibration_is_sound,
)

CHECKS: Mapping[Kind, tuple[Check, ...]] = {
    Kind.PREDICTOR: _STEPPER,
    Kind.ODE_SOLVER: _STEPPER,
    Kind.CORRECTOR: _of(
        Corrector,
        cost=correctors.cost_is_honest,
        distribution=correctors.distribution_is_kept,
        batch=correctors.batch_does_not_matter,
        precision=correctors.precision_does_not_matter,
        randomness=correctors.randomness_is_its_own,
        input=correctors.input_is_left_alone,
        device=correctors.device_does_not_matter,
    ),
    Kind.PROCESS: _of(
        NoiseProcess,
        schedules=schedules.schedules_are_sound,
        inverse=schedules.time_at_is_the_inverse,
        rates=schedules.rates_are_the_derivatives,
    ),
    Kind.GRID: _of(TimeGrid, times=schedules.grids_are_sound),
    Kind.MODEL: _of(
        Model,
        fields=models.describes_itself,
        denoiser=models.denoises,
        batch=models.samples_are_separate,
    ),
    Kind.METRIC: _of(Metric, measures=models.measures, roles=roles.roles_are_sound),
    Kind.GUIDANCE: _of(
        Guidance,
        passes=guidances.passes_are_honest,
        denoiser=guidances.denoises,
        batch=guidances.batch_does_not_matter,
        randomness=guidances.randomness_is_its_own,
        condition=guidances.condition_is_used,
    ),
    Kind.TASK: _of(
        Task,
        questions=tasks.questions_are_the_samples_own,
        observation=tasks.observations_are_of_the_truth,
        operator=tasks.operators_are_sound,
        splits=tasks.splits_are_apart,
    ),
    Kind.NETWORK: _of(
        Trainable,
        seed=networks.begins_with_the_seed,
        denoiser=networks.denoises,
        file=networks.saves,
    ),
    Kind.CLASSIFIER: _of(TrainableClassifier, classifier=networks.classifies),
}


def carry_out(entry: Entry, name: str) -> Finding:
    """One check of one plugin. What the plugin raises becomes a finding."""
    (check,) = (item for item in CHECKS[entry.kind] if item.name == name)

    def finding(verdict: Conformity, *texts: str) -> Finding:
        return Finding(entry.name, entry.kind.value, name, verdict, *texts)

    try:
        measured = check.carry_out(entry.cls)
    except Nonconformity as found:
        return finding(Conformity.FAILED, found.expected, found.seen, found.remedy)
    except NotApplicable as reason:
        return finding(Conformity.SKIPPED, "", str(reason))
    except (Exception, SystemExit) as error:
        remedy = f"mend what is raised at {_place(error)}"
        return finding(Conformity.FAILED, "no exception", _describe(error), remedy)
    return finding(Conformity.PASSED, "", measured or "")


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _place(error: BaseException) -> str:
    frames: list[Any] = list(traceback.extract_tb(error.__traceback__))
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
