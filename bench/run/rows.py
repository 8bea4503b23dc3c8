"""From measurements to the rows of the results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.core.metric import Measurement, Metric
from bench.core.role import Role
from bench.printable import one_line
from bench.results.evidence import Values, name_of, usable
from bench.results.schema import Status
from bench.results.store import Row
from bench.run.cell import Cell
from bench.run.columns import planned_columns
from bench.run.machine import Machine
from bench.run.measure import Measured

if TYPE_CHECKING:
    import numpy as np

    from bench.results.path_file import Paths

_WORST_FIRST = (Status.TIMEOUT, Status.FAILED, Status.DIVERGED, Status.OK, Status.UNSUPPORTED)


@dataclass(frozen=True)
class CellResult:
    """The rows of one cell, and the files beside them."""

    key: str
    rows: Sequence[Row]
    samples: np.ndarray | None = None
    evidence: Mapping[str, Values] = field(default_factory=dict)
    paths: Paths | None = None
    answers: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """The worst status of the rows."""
        found = {Status(row["status"]) for row in self.rows}
        return next(status for status in _WORST_FIRST if status in found)

    @property
    def reason(self) -> str:
        """The first reason given."""
        return next((row["reason"] for row in self.rows if row["reason"]), "")


def failure(cell: Cell, machine: Machine, status: Status, reason: str, started: str) -> CellResult:
    """The rows of a cell that has no samples: one for each metric that was asked for."""
    base = planned_columns(cell, machine, started)
    base |= {"status": status.value, "reason": one_line(reason)}
    rows = [
        base | {"metric": m.name, "metric_plugin": m.name, "metric_params": m.changed.json}
        for m in cell.metrics
    ]
    return CellResult(cell.key, rows)


def metric_rows(base: Row, metric: Metric, params: str, measured: Measured) -> Iterator[Row]:
    """The rows of one metric; ``params`` are those that differ from the defaults, as JSON."""
    base = base | {"metric_plugin": metric.name, "metric_params": params}
    if measured.value is None:
        status = {"status": measured.status.value, "reason": one_line(measured.reason)}
        yield base | status | {"metric": metric.name, "unit": metric.unit}
        return
    for number in measured.value:
        yield base | _number_columns(metric, number, str(base["note"]))


def _number_columns(metric: Metric, number: Measurement, note: str) -> Row:
    finite = math.isfinite(number.value)
    return {
        "metric": number.metric,
        "role": number.role.value,
        "belongs_to": number.belongs_to,
        "larger_is_better": _larger(metric, number),
        "value": number.value if finite else None,
        "std_error": number.std_error,
        "unit": number.unit,
        "metric_n": number.n,
        "metric_nfe": number.nfe,
        "metric_vjp": number.vjp,
        "reference_hash": number.reference,
        "reference_n": number.reference_n,
        "reference_note": number.reference_note,
        "note": "; ".join(filter(None, (note, number.note))),
        "status": (Status.OK if finite else Status.DIVERGED).value,
        "reason": "" if finite else f"{number.metric} is {number.value}",
    }


def _larger(metric: Metric, number: Measurement) -> bool | None:
    """The direction of a number: of an error less is better, whatever its metric's other ones."""
    if not number.ranked:
        return None
    return number.role is Role.QUALITY and metric.larger_is_better


def evidence_of(params: Sequence[str], measured: Sequence[Measured]) -> dict[str, Values]:
    """The numbers per sample behind all numbers of a cell, by name.

    Args:
        params: the parameters of each metric that differ from the defaults, as JSON.
        measured: its numbers, or why there are none.
    """
    found = {
        name_of(number.metric, changed): usable(number.evidence, number.value, number.n)
        for changed, outcome in zip(params, measured, strict=True)
        for number in outcome.value or ()
    }
    return {name: values for name, values in found.items() if values is not None}
