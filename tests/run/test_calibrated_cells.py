"""Cells whose grid evaluates the network first, and grids that leave out a part of the path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import bench as package
from bench.api import NoiseProcess, Time
from bench.results.store import Row
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench_plugins.edm.grid import Karras

Planner = Callable[[str], tuple[Cell, ...]]
Runner = Callable[[Cell], list[Row]]

GITS = """\
suites:
  a:
    models: [digits_mlp]
    grids: [karras, {name: gits, fine_steps: 20, samples: 32}]
    solvers: [ddim, heun]
    nfe: [7]
    samples: 192
    metrics: [rmse]
"""

POINTS = (
    "suites:\n  a:\n    models: [gaussian_mixture]\n    nfe: [6]\n    samples: 64\n"
    "    solvers: [ddim]\n    grids: [{grids}]\n    metrics: [{metrics}]\n"
)


def _with(cell: Cell, **protocol: Any) -> Cell:
    return replace(cell, protocol=replace(cell.protocol, **protocol))


def _rmse(rows: list[Row]) -> Row:
    return next(row for row in rows if row["metric"] == "rmse")


def test_calibration_has_columns_of_its_own(cells_of: Planner, rows_of: Runner) -> None:
    found = {
        (cell.solver.name, cell.grid.name): _rmse(rows_of(cell))
        for cell in cells_of(GITS)
        if cell.grid
    }
    for (solver, grid), row in found.items():
        assert row["status"] == "ok"
        assert row["nfe"] == row["nfe_declared"] == 7
        assert row["steps"] == (6 if solver == "ddim" else 3)
        assert row["calibration_evaluations"] == (20 * 32 if grid == "gits" else 0)
        assert ("calibrated with 640 network evaluations" in row["note"]) == (grid == "gits")
        assert (row["calibration_wall_s"] > 0) == (grid == "gits")
        assert row["grid_params"] == ('{"fine_steps":20,"samples":32}' if grid == "gits" else "{}")
    assert found["ddim", "gits"]["value"] < 0.75 * found["ddim", "karras"]["value"]
    assert found["ddim", "gits"]["s_min"] == found["ddim", "karras"]["s_min"]


def test_numbers_do_not_depend_on_the_batch_or_on_what_ran_before(cells_of: Planner) -> None:
    _, gits = [cell for cell in cells_of(GITS) if cell.solver.name == "ddim"]
    machine = Machine("cpu", 1, 1)
    results = [run_cell(_with(gits, batch=batch), machine) for batch in (64, 192, 64)]
    assert len({_rmse(list(result.rows))["value"] for result in results}) == 1
    assert results[0].samples is not None
    assert all((result.samples == results[0].samples).all() for result in results)


def test_a_worker_finds_the_same_grid(bench: Any, cells_of: Planner, rows_of: Runner) -> None:
    text = GITS.replace("karras, ", "").replace("ddim, heun", "ddim")
    (bench.folder / "gits.yaml").write_text(text)
    done = bench("run", "gits.yaml")
    assert done.returncode == 0, done.stderr
    table = package.load_results(bench.folder / "results" / "gits")
    (cell,) = cells_of(text)
    here = _rmse(rows_of(cell))
    (there,) = table[table["metric"] == "rmse"].to_dict("records")
    assert there["calibration_evaluations"] == here["calibration_evaluations"] == 640
    assert there["value"] == here["value"]


def test_more_steps_than_the_fine_grid_are_unsupported(cells_of: Planner, rows_of: Runner) -> None:
    (cell,) = cells_of(POINTS.format(grids="{name: gits, fine_steps: 3}", metrics="swd"))
    (row,) = rows_of(cell)
    assert row["status"] == "unsupported"
    assert "raise fine_steps" in row["reason"]


def test_grids_that_do_not_span_are_held_against_the_whole_path(
    cells_of: Planner, rows_of: Runner
) -> None:
    """Else a grid that ends early would be let off the hard part of the path."""
    text = POINTS.format(grids="linspace, leading, trailing", metrics="rmse, nll_nats")
    rows = {cell.grid.name: rows_of(cell) for cell in cells_of(text) if cell.grid}
    numbers = {
        name: {row["metric"]: (row["status"], row.get("value")) for row in found}
        for name, found in rows.items()
    }
    references = {found["rmse_reference"] for found in numbers.values()}
    assert len(references) == 1
    assert rows["linspace"][0]["s_max"] > rows["leading"][0]["s_max"]
    assert rows["linspace"][0]["s_min"] < rows["trailing"][0]["s_min"]
    assert numbers["linspace"]["nll_nats"][0] == "ok"
    for name in ("leading", "trailing"):
        assert numbers[name]["nll_nats"] == ("unsupported", None)


def test_a_grid_that_claims_to_span_must(
    cells_of: Planner, rows_of: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Karras.times

    def short(
        self: Karras, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        return honest(self, process, steps, 2 * s_min, s_max)

    monkeypatch.setattr(Karras, "times", short)
    (cell,) = cells_of(POINTS.format(grids="karras", metrics="swd"))
    (row,) = rows_of(cell)
    assert row["status"] == "failed"
    assert "grid 'karras': goes from s = 80 to 0.004, not from 80 to 0.002" in row["reason"]
