"""From what was measured to the rows of the results table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.core.metric import Measurement, Metric, Trial
from bench.core.role import Role
from bench.printable import MOST, one_line
from bench.results.evidence import Values, name_of, usable
from bench.results.schema import Status
from bench.results.store import Row
from bench.run.cell import Cell, PluginSpec, canonical
from bench.run.machine import Machine
from bench.run.outcome import Outcome

if TYPE_CHECKING:
    import numpy as np

    from bench.results.path_file import Paths


@dataclass(frozen=True)
class CellResult:
    """What one cell leaves behind."""

    key: str
    rows: Sequence[Row]
    samples: np.ndarray | None = None
    evidence: Mapping[str, Values] = field(default_factory=dict)
    paths: Paths | None = None

    @property
    def status(self) -> Status:
        """The worst status of the rows."""
        found = {Status(row["status"]) for row in self.rows}
        order = (Status.TIMEOUT, Status.FAILED, Status.DIVERGED, Status.OK, Status.UNSUPPORTED)
        return next(status for status in order if status in found)

    @property
    def reason(self) -> str:
        """The first reason given."""
        return next((row["reason"] for row in self.rows if row["reason"]), "")


def failure(cell: Cell, machine: Machine, status: Status, reason: str, started: str) -> CellResult:
    """The rows of a cell that has no samples: one for each metric that was asked for."""
    base = base_row(cell, machine, started)
    rows = [
        {
            **base,
            "metric": m.name,
            "metric_plugin": m.name,
            "metric_params": m.changed,
            "status": status.value,
            "reason": one_line(reason),
        }
        for m in cell.metrics
    ]
    return CellResult(cell.key, rows)


@dataclass(frozen=True)
class Cost:
    """What sampling cost."""

    nfe: float
    declared: int | None
    wall_s: float
    rows: int
    peak_mib: float


@dataclass(frozen=True)
class CalibrationCost:
    """What was spent before sampling began."""

    evaluations: int = 0
    wall_s: float = 0.0

    def columns(self) -> Row:
        return {
            "calibration_evaluations": self.evaluations,
            "calibration_wall_s": self.wall_s,
        }


def base_row(cell: Cell, machine: Machine, started: str) -> Row:
    """The columns that are known before anything runs."""
    protocol = json.loads(cell.protocol)
    named = {
        "model": cell.model,
        "process": cell.process,
        "grid": cell.grid,
        "solver": cell.solver,
        "corrector": cell.corrector,
    }
    sources = {
        spec.name: _source(spec) for spec in (*named.values(), *cell.metrics) if spec is not None
    }
    row: Row = {"key": cell.key, "run": cell.run, "suite": cell.suite}
    for column, spec in named.items():
        row[column] = spec.name if spec else ""
        row[f"{column}_params"] = spec.changed if spec else ""
    row |= {
        "solver_kind": "adaptive" if cell.ladder else cell.solver.kind.value,
        "sampler": cell.sampler,
        "budget": cell.budget,
        "tolerance": cell.tolerance,
        "seed": cell.seed,
        "role": "",
        "belongs_to": "",
        "reason": "",
        "note": "; ".join(cell.doubts),
        "samples": protocol["samples"],
        "batch": protocol["batch"],
        "shard": protocol["shard"],
        "dtype": protocol["dtype"],
        "s_min": protocol["s_min"],
        "s_max": protocol["s_max"],
        "finish": protocol["finish"],
        "reference_hash": "",
        "reference_n": None,
        "reference_note": "",
        "solver_source": _source(cell.solver),
        "plugin_sources": canonical(sources),
        "files": canonical(files) if (files := _files(cell)) else "",
        "core": cell.core,
        "started": started,
    }
    return row | machine.columns()


def _files(cell: Cell) -> dict[str, str]:
    """Where the files that parameters name lie; of equal files the first."""
    found: dict[str, str] = {}
    for spec in cell.plugins:
        found = spec.files() | found
    return found


def _source(spec: PluginSpec) -> str:
    return f"{spec.source.distribution} {spec.source.version} {spec.source.code}"


def protocol_columns(trial: Trial, steps: int | None, note: str) -> Row:
    return {
        "steps": steps,
        "s_min": trial.times[-1].s,
        "s_max": trial.times[0].s,
        "batch_coupled": trial.sampler.stepper.batch_coupled,
        "weights": trial.model.weights,
        "note": one_line(note, 2 * MOST),
    }


def cost_columns(cell: Cell, trial: Trial, cost: Cost) -> Row:
    return {
        "nfe": cost.nfe,
        "nfe_declared": cost.declared,
        "nfe_finish": float(trial.sampler.finish_cost),
        "nfe_unspent": None if cell.budget is None else max(0.0, cell.budget - cost.nfe),
        "over_budget": cell.budget is not None and cost.nfe > cell.budget,
        "sample_wall_s": cost.wall_s,
        "samples_per_s": trial.draw.samples / cost.wall_s,
        "s_per_evaluation": cost.wall_s / max(cost.rows, 1),
        "peak_memory_mib": cost.peak_mib,
    }


def metric_rows(
    base: Row, metric: Metric, params: str, outcome: Outcome[Sequence[Measurement]]
) -> Iterator[Row]:
    """The rows of one metric; ``params`` are those that differ from the defaults, as JSON."""
    base = base | {"metric_plugin": metric.name, "metric_params": params}
    if outcome.value is None:
        status = {"status": outcome.status.value, "reason": one_line(outcome.reason)}
        yield base | status | {"metric": metric.name, "unit": metric.unit}
        return
    for number in outcome.value:
        finite = math.isfinite(number.value)
        yield (
            base
            | {
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
                "note": "; ".join(filter(None, (str(base["note"]), number.note))),
                "status": (Status.OK if finite else Status.DIVERGED).value,
                "reason": "" if finite else f"{number.metric} is {number.value}",
            }
        )


def _larger(metric: Metric, number: Measurement) -> bool | None:
    """The direction of a number: of an error less is better, whatever its metric's other ones."""
    if not number.ranked:
        return None
    return number.role is Role.QUALITY and metric.larger_is_better


def evidence_of(
    params: Sequence[str], outcomes: Sequence[Outcome[Sequence[Measurement]]]
) -> dict[str, Values]:
    """The numbers per sample behind all numbers of a cell, by name.

    Args:
        params: the parameters of each metric that differ from the defaults, as JSON.
        outcomes: what became of each metric.
    """
    found = {
        name_of(number.metric, changed): usable(number.evidence, number.value, number.n)
        for changed, outcome in zip(params, outcomes, strict=True)
        for number in outcome.value or ()
    }
    return {name: values for name, values in found.items() if values is not None}
