"""The kit holds a metric to what it declares of its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest

from bench.api import Measurement, Role, SolverMetric, Trial
from bench.testing.conformance.finding import Nonconformity
from bench.testing.conformance.models import measure_ddim
from bench.testing.conformance.roles import roles_are_sound


@dataclass(frozen=True)
class Told(SolverMetric):
    """Says what it was told to, by the number of steps."""

    name: ClassVar[str] = "told"
    reference: ClassVar[str] = "nobody"
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "told"

    says: Callable[[int], Sequence[Measurement]]

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        return self.says(len(trial.times) - 1)


def _error(value: float, name: str = "mirror") -> Measurement:
    return Measurement(name, value, "1", 1, role=Role.ERROR)


def _own(value: float) -> Measurement:
    return Measurement("own", value, "1", 1, role=Role.REFERENCE, belongs_to="mirror")


@pytest.mark.parametrize(
    "says",
    [
        lambda steps: [_error(1 / steps)],
        lambda steps: [_error(1e-6), _own(1e-6)],  # at the floor from the first step on
        lambda steps: [Measurement("error_rate", 0.1 + steps, "1", 1)],
        lambda steps: [Measurement("a", -steps, "1", 1, role=Role.DIAGNOSTIC)],
    ],
)
def test_roles_that_hold_pass(says: Callable[[int], Sequence[Measurement]]) -> None:
    assert roles_are_sound(Told(says))


@pytest.mark.parametrize(
    ("says", "seen"),
    [
        (lambda steps: [_error(0.25, "error_rate")], "error_rate goes from 0.25 to 0.25"),
        (lambda steps: [_error(float(steps))], "mirror goes from 10 to 80"),
        (lambda steps: [_error(-1 / steps)], "mirror goes from -0.1 to -0.0125"),
        (lambda steps: [_error(0.25), _own(1e-6)], "mirror goes from 0.25 to 0.25"),
        (lambda steps: [_own(1.0)], "belongs to 'mirror', which is none of the others"),
    ],
)
def test_roles_that_do_not_hold_fail(
    says: Callable[[int], Sequence[Measurement]], seen: str
) -> None:
    with pytest.raises(Nonconformity) as caught:
        roles_are_sound(Told(says))
    assert seen in caught.value.seen


@dataclass(frozen=True)
class Asked(Told):
    """Says whether its samples answer observations."""

    name: ClassVar[str] = "asked"

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        return [Measurement("observed", float(trial.observed), "1", 1)]


@dataclass(frozen=True)
class Answering(Asked):
    """The same of a metric that is of such samples."""

    name: ClassVar[str] = "answering"
    answers: ClassVar[bool] = True


@pytest.mark.parametrize(("kind", "observed"), [(Asked, 0.0), (Answering, 1.0)])
def test_a_metric_of_answers_is_given_questions(kind: type[Told], observed: float) -> None:
    (number,) = measure_ddim(kind(lambda steps: []), 10)
    assert number.value == observed
