"""Which checks each kind of plugin has to pass, and how one is carried out."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.core.plugin import Plugin
from bench.registry import Entry, Kind
from bench.testing.conformance import correctors, models, networks, roles, schedules, steppers
from bench.testing.conformance.common import defaults, documented, parameters_validate
from bench.testing.conformance.finding import Finding, Nonconformity, NotApplicable, Verdict
from bench.testing.conformance.state import state_is_left_alone

T = TypeVar("T")


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


def _of(typed: Callable[[object], T], **checks: Callable[[T], str | None]) -> tuple[Check, ...]:
    def bound(check: Callable[[T], str | None]) -> Callable[[type[Plugin]], str | None]:
        return lambda cls: check(typed(defaults(cls)))

    common = (
        Check("documented", documented),
        Check("parameters", parameters_validate),
        Check("state", state_is_left_alone),
    )
    return (*common, *(Check(name, bound(check)) for name, check in checks.items()))


_STEPPER = _of(
    steppers.typed,
    cost=steppers.cost_is_honest,
    order=steppers.order_is_as_claimed,
    batch=steppers.batch_does_not_matter,
    precision=steppers.precision_does_not_matter,
    randomness=steppers.randomness_is_its_own,
    input=steppers.input_is_left_alone,
    processes=steppers.every_process_works,
    directions=steppers.both_directions_work,
    unet=steppers.finite_on_the_unet,
    device=steppers.device_does_not_matter,
)

CHECKS: Mapping[Kind, tuple[Check, ...]] = {
    Kind.PREDICTOR: _STEPPER,
    Kind.ODE_SOLVER: _STEPPER,
    Kind.CORRECTOR: _of(
        correctors.typed,
        cost=correctors.cost_is_honest,
        distribution=correctors.distribution_is_kept,
        batch=correctors.batch_does_not_matter,
        precision=correctors.precision_does_not_matter,
        randomness=correctors.randomness_is_its_own,
        input=correctors.input_is_left_alone,
        device=correctors.device_does_not_matter,
    ),
    Kind.PROCESS: _of(
        schedules.typed_process,
        schedules=schedules.schedules_are_sound,
        inverse=schedules.time_at_is_the_inverse,
        rates=schedules.rates_are_the_derivatives,
    ),
    Kind.GRID: _of(schedules.typed_grid, times=schedules.grids_are_sound),
    Kind.MODEL: _of(
        models.typed_model,
        fields=models.describes_itself,
        denoiser=models.denoises,
        batch=models.samples_are_separate,
    ),
    Kind.METRIC: _of(models.typed_metric, measures=models.measures, roles=roles.roles_are_sound),
    Kind.NETWORK: _of(
        networks.typed_network,
        seed=networks.begins_with_the_seed,
        denoiser=networks.denoises,
        file=networks.saves,
    ),
    Kind.CLASSIFIER: _of(networks.typed_classifier, classifier=networks.classifies),
}


def carry_out(entry: Entry, name: str) -> Finding:
    """One check of one plugin. What the plugin raises becomes a finding."""
    (check,) = (item for item in CHECKS[entry.kind] if item.name == name)

    def finding(verdict: Verdict, *words: str) -> Finding:
        return Finding(entry.name, entry.kind.value, name, verdict, *words)

    try:
        measured = check.carry_out(entry.cls)
    except Nonconformity as found:
        return finding(Verdict.FAILED, found.expected, found.seen, found.remedy)
    except NotApplicable as reason:
        return finding(Verdict.SKIPPED, "", str(reason))
    except (Exception, SystemExit) as error:
        remedy = f"mend what is raised at {_place(error)}"
        return finding(Verdict.FAILED, "no exception", _described(error), remedy)
    return finding(Verdict.PASSED, "", measured or "")


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _place(error: BaseException) -> str:
    frames: list[Any] = list(traceback.extract_tb(error.__traceback__))
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
