"""Rows as a run would have written them for a published figure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from bench.published.figures import PublishedFigure
from bench.results.schema import COLUMNS

Rows = Callable[..., pd.DataFrame]


def canonical(params: Mapping[str, Any]) -> str:
    """JSON as the results have it: sorted keys, no spaces."""
    return json.dumps(params, sort_keys=True, separators=(",", ":"))


@pytest.fixture(name="rows_of")
def rows_of_() -> Rows:
    """Makes one row for each value (its seed the place), with ``changed`` columns."""
    return rows_of


def rows_of(figure: PublishedFigure, values: Sequence[float], **changed: Any) -> pd.DataFrame:
    """One row for each seed, under the figure's own protocol but for ``changed`` columns."""
    return pd.DataFrame(
        [{**row_of(figure, value), "seed": seed, **changed} for seed, value in enumerate(values)]
    )


def row_of(figure: PublishedFigure, value: float) -> dict[str, Any]:
    """A row with all columns of the schema."""
    table = figure.table
    assert figure.solver is not None
    model = {"path": figure.checkpoint, **figure.model.params}
    metric = dict(table.metric.params)
    if table.metric.against:
        metric["against"] = table.metric.against[0]
    row: dict[str, Any] = {column.name: None for column in COLUMNS}
    return row | {
        "key": f"{figure.id}@{value}",
        "run": "run",
        "suite": "suite",
        "metric": table.metric.name,
        "metric_params": canonical(metric),
        "metric_n": table.metric.n,
        "value": value,
        "status": "ok",
        "reason": "",
        "model": figure.model.name,
        "model_params": canonical(model),
        "process": figure.process.name,
        "process_params": canonical(figure.process.params),
        "grid": figure.grid.name if figure.grid else "",
        "grid_params": canonical(figure.grid.params) if figure.grid else "",
        "solver": figure.solver.name,
        "solver_params": canonical(figure.solver.params),
        "solver_kind": "adaptive" if figure.evaluations is None else "ode_solver",
        "sampler": figure.solver.name,
        "corrector": figure.corrector.name if figure.corrector else "",
        "corrector_params": canonical(figure.corrector.params) if figure.corrector else "",
        "denoising": canonical(figure.denoising) if figure.denoising else "",
        "budget": figure.evaluations,
        "nfe": figure.evaluations or 123.4,
        "seed": 0,
        "samples": table.metric.n,
        "dtype": table.dtype,
        "s_min": table.s_min,
        "s_max": table.s_max,
        "finish": figure.finish,
        "weights": "0" * 64,
        "larger_is_better": False,
    }
