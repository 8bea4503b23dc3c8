"""Cells of a function: what its row says, what is refused, and what it is known by."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.api import BenchError
from bench.results.store import Row
from bench.run.cell import Cell

Planner = Callable[[str], tuple[Cell, ...]]
Runner = Callable[[Cell], list[Row]]

MATRIX = """\
suites:
  a:
    models: [gaussian_mixture]
    solvers:
      - {solver}
      - ddim
    nfe: [7]
    samples: 64
    metrics: [rmse]
    {more}
"""
EULER = "{name: function, call: 'friendly_samplers:euler', signature: k_diffusion}"


def _matrix(solver: str, more: str = "") -> str:
    return MATRIX.replace("{solver}", solver).replace("{more}", more)


def _with(solver: str, more: str) -> str:
    return f"{solver[:-1]}, {more}}}"


def test_a_row_has_the_numbers_of_our_own_and_says_how_it_ends(
    cells_of: Planner, rows_of: Runner
) -> None:
    theirs, ours = (rows_of(cell)[0] for cell in cells_of(_matrix(EULER)))
    assert theirs["status"] == ours["status"] == "ok"
    assert theirs["value"] == pytest.approx(ours["value"], rel=1e-4)
    assert theirs["nfe"] == theirs["nfe_declared"] == ours["nfe"] == 7
    assert (theirs["nfe_finish"], ours["nfe_finish"]) == (0, 1)
    assert theirs["solver_kind"] == ours["solver_kind"] == "ode_solver"
    assert "ends in x_0, by a denoise of its own; it is deterministic" in theirs["note"]


@pytest.mark.parametrize(
    ("solver", "more", "reason"),
    [
        (_with(EULER, "corrector: langevin"), "", "no corrector"),
        (EULER, "finish: none", "it needs `finish: denoise`"),
        (_with(EULER, "params: {chrun: 1}"), "", "has no parameter 'chrun'"),
    ],
)
def test_what_cannot_be_honoured_is_unsupported(
    cells_of: Planner, rows_of: Runner, solver: str, more: str, reason: str
) -> None:
    row = rows_of(cells_of(_matrix(solver, more))[0])[0]
    assert row["status"] == "unsupported"
    assert reason in row["reason"]


@pytest.mark.parametrize("options", ["{afs: true}", "{clip: 0.5}"])
def test_options_of_the_host_act_on_a_function_as_on_ours(
    options: str, cells_of: Planner, rows_of: Runner
) -> None:
    text = _matrix(EULER, f"denoising: [{options}]")
    theirs, ours = (rows_of(cell)[0] for cell in cells_of(text))
    assert theirs["value"] == pytest.approx(ours["value"], rel=1e-4)
    assert theirs["steps"] == ours["steps"]
    assert theirs["nfe"] == theirs["nfe_declared"] == ours["nfe"] == 7


def test_a_function_that_ends_at_the_last_level_runs_without_a_denoise(
    cells_of: Planner, rows_of: Runner
) -> None:
    text = _matrix(_with(EULER, "end: s_min"), "finish: none")
    theirs, ours = (rows_of(cell)[0] for cell in cells_of(text))
    assert theirs["value"] == pytest.approx(ours["value"], rel=1e-4)
    assert theirs["nfe"] == ours["nfe"] == 7


def test_a_list_of_mappings_is_one_solver_each(cells_of: Planner) -> None:
    one, other, _ = cells_of(_matrix(_with(EULER, "params: [{churn: 0.1}, {churn: 0.2}]")))
    assert one.key != other.key
    assert one.solver.params["params"] == {"churn": 0.1}


@pytest.fixture
def draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that its author still edits."""
    file = tmp_path / "draft_sampler.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    file.write_text("def sample(x, denoise, levels):\n    return x\n", encoding="utf-8")
    yield file
    sys.modules.pop("draft_sampler", None)


def test_an_edit_of_the_function_is_another_cell(
    draft: Path, cells_of: Planner, rows_of: Runner
) -> None:
    text = _matrix("{name: function, call: 'draft_sampler:sample'}")
    planned, same = cells_of(text)[0], cells_of(text)[0]
    assert planned.key == same.key
    assert not planned.doubts
    draft.write_text(f"{draft.read_text()}\n# another\n", encoding="utf-8")
    assert cells_of(text)[0].key != planned.key
    row = rows_of(planned)[0]
    assert row["status"] == "failed"
    assert "changed since the run was planned" in row["reason"]


def test_a_module_that_is_nowhere_is_told_before_the_run(cells_of: Planner) -> None:
    with pytest.raises(BenchError, match=r"no_such_module_here.*PYTHONPATH=\."):
        cells_of(_matrix("{name: function, call: 'no_such_module_here:f'}"))
