"""Plans and outcomes for people (rich tables, lines) and for scripts (JSON-able)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table as RichTable

from bench.files.asset import Asset
from bench.files.supply import Supply
from bench.printable import one_line
from bench.render.table import Table, TableColumn, number_columns, table_rows, text_columns
from bench.render.terminal import terminal
from bench.results.damage import ASIDE, lines
from bench.results.schema import Status
from bench.results.seal import show
from bench.run.cell import Cell
from bench.run.runner import Plan, RunOutcome


def plan_summary(plan: Plan) -> dict[str, Any]:
    """The plan as JSON: totals and each wanted cell."""
    missing = {cell.key for cell in plan.missing}
    return {
        "run": plan.name,
        "results": str(plan.store.root),
        "device": plan.device,
        "cells": len(plan.wanted),
        "missing": len(plan.missing),
        "evaluations": _total(plan.missing),
        **_state(plan),
        "fetch": [
            {"name": supply.name, "size": _size(supply), "path": str(supply.path)}
            for supply in plan.absent
        ],
        "unknown_code": list(plan.doubts),
        "plan": [
            {
                "key": cell.key,
                "title": cell.title,
                "missing": cell.key in missing,
                "evaluations": cell.evaluations,
            }
            for cell in plan.wanted
        ],
    }


def plan_table(plan: Plan) -> RichTable:
    """The plan by suite, model with task, and process, with cost in network evaluations."""
    groups: defaultdict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in plan.wanted:
        task = f" {cell.task.label()}" if cell.task else ""
        groups[cell.suite, f"{cell.model.label()}{task}", cell.process.label()].append(cell)
    missing = {cell.key for cell in plan.missing}
    columns = (
        TableColumn("suite", footer="total"),
        *text_columns("model", "process"),
        *number_columns("samplers"),
        TableColumn("cells", numeric=True, footer=str(len(plan.wanted))),
        TableColumn("to run", numeric=True, footer=str(len(plan.missing))),
        TableColumn("network evaluations to run", numeric=True, footer=_evaluations(plan.missing)),
    )
    rows = []
    for names, cells in groups.items():
        to_run = [cell for cell in cells if cell.key in missing]
        samplers = len({cell.sampler for cell in cells})
        numbers = map(str, (samplers, len(cells), len(to_run)))
        rows.append((*names, *numbers, _evaluations(to_run)))
    title = f"{plan.name} on {plan.device}, results in {plan.store.root}"
    return terminal(Table(title, columns, table_rows(rows)))


def doubt_lines(plan: Plan) -> list[str]:
    """The plugins whose results cannot be found again, and why."""
    return [f"runs again every time: {doubt}" for doubt in plan.doubts]


def fetch_lines(plan: Plan) -> list[str]:
    """The files that would be downloaded before the run."""
    return [
        f"to be fetched: {supply.name} ({_shown_size(_size(supply))})" for supply in plan.absent
    ]


def _state(plan: Plan) -> dict[str, Any]:
    return {
        "damaged": [{"file": show(error.path), "reason": error.why} for error in plan.damaged],
        "old": plan.old,
    }


def state_lines(plan: Plan) -> list[str]:
    """The damaged files, and what becomes of them."""
    found = [f"damaged: {line}" for line in lines(plan.damaged)]
    if found:
        place = plan.store.root / ASIDE
        found.append(f"damaged files are set aside in {place} and made anew")
    if plan.old:
        found.append(
            f"{plan.old} cells have results of another version of the format, without checksums: "
            "they run again"
        )
    return found


def _size(supply: Supply) -> int | None:
    return supply.size if isinstance(supply, Asset) else None


def _shown_size(size: int | None) -> str:
    return "size not known" if size is None else f"{size / 1e6:,.1f} MB"


def _total(cells: Sequence[Cell]) -> int:
    return sum(cell.evaluations or 0 for cell in cells)


def _evaluations(cells: Sequence[Cell]) -> str:
    """Planned evaluations; adaptive cells choose theirs."""
    adaptive = sum(cell.evaluations is None for cell in cells)
    text = f"{_total(cells):,}"
    return f"{text} + {adaptive} adaptive cells" if adaptive else text


def outcome_summary(outcome: RunOutcome, page: Path | None) -> dict[str, Any]:
    """The outcome as JSON."""
    return {
        "run": outcome.plan.name,
        "results": str(outcome.plan.store.root),
        "report": str(page) if page else None,
        "cells": dict(outcome.counts),
        **_state(outcome.plan),
        "faults": [
            {"key": cell.key, "title": cell.title, "status": status.value, "reason": reason}
            for cell, status, reason in outcome.faults
        ],
    }


REASONS = 5
"""The most reasons for cells without a meaning that the last lines name."""


def _reason_lines(outcome: RunOutcome) -> list[str]:
    """The reasons why cells have no meaning, the most frequent first; the bar's lines have none."""
    unsupported = (item for item in outcome.statuses if item[1] is Status.UNSUPPORTED)
    found = Counter(reason for _, _, reason in unsupported).most_common()
    lines = [f"unsupported: {count}: {one_line(reason)}" for reason, count in found[:REASONS]]
    rest = len(found) - REASONS
    return [*lines, f"unsupported: {rest} other reasons; see the report"] if rest > 0 else lines


def outcome_lines(outcome: RunOutcome, page: Path | None) -> list[str]:
    """The closing lines of ``bench run``."""
    counts = ", ".join(f"{count} {status}" for status, count in sorted(outcome.counts.items()))
    lines = [
        f"cells: {counts}",
        *_reason_lines(outcome),
        f"tables: {outcome.plan.store.root / 'cells'}",
    ]
    if page is not None:
        lines.append(f"report: {page}")
    return lines
