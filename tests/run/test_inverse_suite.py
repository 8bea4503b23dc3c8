"""Each method of the suite `inverse` runs, with all metrics, on fewer samples and steps."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench.config.load import load_config
from bench.config.suites import resolve
from bench.registry import load_registry
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import WorkerOptions
from bench.run.plan import make_plan

SUITES = [
    *("exact", "modes", "projections", "phases"),
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("digits", "colour")),
]


def _cells(suite: str) -> list[Cell]:
    """The first cell of each method on each task, with 64 samples and 20 evaluations."""
    first: dict[tuple[str, ...], Cell] = {}
    for cell in make_plan(load_config(resolve(Path("inverse"))), load_registry(), "cpu"):
        if cell.suite == suite:
            assert cell.task is not None
            first.setdefault((cell.sampler, cell.task.label()), cell)
    return [
        replace(cell, protocol=replace(cell.protocol, samples=64), budget=20)
        for cell in first.values()
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_every_method_has_all_numbers(suite: str) -> None:
    cells = _cells(suite)
    assert len(cells) >= 2
    for cell in cells:
        rows = run_cell(cell, WorkerOptions(1, 1).on("cpu", 1), with_paths=False).rows
        assert [row["reason"] for row in rows] == [""] * len(rows), cell.title
        assert {row["status"] for row in rows} == {"ok"}, cell.title
        assert all(math.isfinite(row["value"]) for row in rows), cell.title
        assert len(rows) >= len(cell.metrics)
