"""The roles that a metric declares of its numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from bench.core.errors import BenchError
from bench.core.metric import Measurement, Metric
from bench.core.role import Role
from bench.run.measurements import check_measurements
from bench.testing.conformance.finding import Nonconformity, demand
from bench.testing.conformance.models import measure_ddim

FEW, MANY = 10, 80
"""Steps of DDIM, whose error falls to about an eighth from one to the other."""


def roles_are_sound(metric: Metric) -> str:
    """Roles fit together, and an error falls with the steps of a solver on a closed form."""
    coarse = _sound(metric, measure_ddim(metric, FEW))
    if any(number.role is Role.ERROR for number in coarse):
        _falls(coarse, _sound(metric, measure_ddim(metric, MANY)))
    return ", ".join(f"{number.metric}: {number.role}" for number in coarse)


def _sound(metric: Metric, numbers: Sequence[Measurement]) -> list[Measurement]:
    try:
        return check_measurements(
            metric.name, [dataclasses.replace(n, evidence=None) for n in numbers]
        )
    except BenchError as error:
        raise Nonconformity(
            "a role for each number, and the number that it belongs to",
            str(error),
            "see bench.api.Role and Measurement.belongs_to",
        ) from None


def _falls(coarse: Sequence[Measurement], fine: Sequence[Measurement]) -> None:
    floors = {number.belongs_to: number.value for number in fine if number.role is Role.REFERENCE}
    after = {number.metric: number.value for number in fine}
    for number in coarse:
        if number.role is Role.ERROR:
            least = after.get(number.metric, float("nan"))
            demand(
                number.value >= 0
                and (0 <= least < number.value or least <= 3 * floors.get(number.metric, 0.0)),
                f"an error that falls from {FEW} steps of DDIM to {MANY}",
                f"{number.metric} goes from {number.value:g} to {least:g}",
                "declare Role.QUALITY unless it is a distance to the exact solution",
            )
