"""Published figures and comparisons with them as JSON-able records."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bench.published.figures import PublishedFigure
from bench.published.verdicts import FigureComparison


def figure_record(figure: PublishedFigure) -> dict[str, Any]:
    """A figure as JSON-able data, without what its table says of all."""
    table = figure.table
    return {
        "id": figure.id,
        "table": table.id,
        "label": figure.label,
        "value": figure.value,
        "metric": table.metric.name,
        "n": table.metric.n,
        "against": list(table.metric.against),
        "aggregate": table.aggregate,
        "runs": table.runs,
        "nfe": figure.nfe,
        "evaluations": figure.evaluations,
        "model": asdict(figure.model),
        "checkpoint": figure.checkpoint,
        "process": asdict(figure.process),
        "grid": asdict(figure.grid) if figure.grid else None,
        "solver": asdict(figure.solver) if figure.solver else None,
        "corrector": asdict(figure.corrector) if figure.corrector else None,
        "denoising": dict(figure.denoising),
        "finish": figure.finish,
        "s_min": table.s_min,
        "s_max": table.s_max,
        "dtype": table.dtype,
        "suite": table.suite,
        "dataset": table.dataset,
        "source": asdict(table.source),
        "deviations": list(figure.deviations),
        "notes": list(figure.notes),
        "unavailable": figure.unavailable,
    }


def comparison_record(item: FigureComparison) -> dict[str, Any]:
    """A comparison as JSON-able data."""
    found = item.deviation
    return {
        "figure": figure_record(item.figure),
        "verdict": item.verdict.value,
        "measured": found.measured if found else None,
        "how": found.how if found else "",
        "difference": found.difference if found else None,
        "relative": item.relative,
        "tolerance": found.tolerance if found else None,
        "within_tolerance": found.within if found else None,
        "differences": [asdict(difference) for difference in item.differences],
        "reason": item.reason,
        "seeds": item.seeds,
        "keys": list(item.keys),
    }
