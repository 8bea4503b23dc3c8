"""Keys of the user's own, `x-...` at the top of a file: a place for anchors and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.config.load import load_config
from bench.core.errors import BenchError
from bench.run.cell import Cell

Planner = Callable[[str], tuple[Cell, ...]]

SUITE = "suites:\n  a: {models: [gaussian_mixture], solvers: [ddim], nfe: [5], metrics: [rmse]}\n"
DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_example_of_the_docs_is_planned(cells_of: Planner) -> None:
    (example,) = re.findall(r"```yaml\n(x-.+?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    cells = cells_of(example)
    assert {
        (cell.suite, cell.solver.name, cell.budget, cell.protocol.samples) for cell in cells
    } == {
        (suite, solver, budget, samples)
        for suite, budget, samples in (("coarse", 5, 500), ("coarse", 10, 500), ("fine", 50, 2000))
        for solver in ("ddim", "dpmpp_2m")
    }


@pytest.mark.parametrize(
    "own",
    [
        "x-a: &a {models: [nowhere], sampels: 3}\n",
        "x-: 5\n",
        "x-b: null\nx-c: [[1, {d: 2}]]\n",
        "x-suites: {a: {}}\nx-name: ../..\n",
    ],
)
def test_nothing_in_them_is_read(own: str, cells_of: Planner) -> None:
    with_own, without = cells_of(own + SUITE), cells_of(SUITE)
    assert [cell.key for cell in with_own] == [cell.key for cell in without]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (SUITE.replace("nfe", "x-nfe: 3, nfe"), "suites.a.x-nfe"),
        ("defaults: {x-samples: 3}\n" + SUITE, "defaults.x-samples"),
        ("x-a: &a {x-inner: 1}\n" + SUITE.replace("models", "<<: *a, models"), "suites.a.x-inner"),
    ],
)
def test_below_the_top_they_are_refused(text: str, place: str, cells_of: Planner) -> None:
    with pytest.raises(BenchError) as caught:
        cells_of(text)
    assert f"{place}: unknown key 'x-" in str(caught.value)
    assert "belong at the top of the file" in str(caught.value)


@pytest.mark.parametrize("key", ["X-a", "x_a", "xa", " x-a", "y-a"])
def test_other_unknown_keys_at_the_top_are_refused(key: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(f"'{key}': 1\n{SUITE}", encoding="utf-8")
    with pytest.raises(BenchError, match="unknown key"):
        load_config(path)


def test_a_parameter_of_ones_own_is_no_such_place(cells_of: Planner) -> None:
    with pytest.raises(BenchError, match="unknown key 'x-eta'"):
        cells_of(SUITE.replace("[ddim]", "[{name: ddim, x-eta: 1}]"))
