"""The recipes of docs/cookbook.md answer as a reading of the rows by hand does."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bench
from bench.config.load import load_config
from bench.registry import load_registry
from bench.results.schema import ARROW
from bench.results.store import Store
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.plan import make_plan

PAGE = Path(__file__).parents[2] / "docs" / "cookbook.md"
SUITE = """\
suites:
  digits:
    models: [digits_mlp]
    processes: [edm, vp]
    grids: [karras]
    solvers: SOLVERS
    nfe: [1, 5, 10, 20, 40]
    seeds: SEEDS
    samples: 64
    metrics: [fd_digits, {name: rmse, samples: 8, reference_steps: 64}]
"""
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: `theirs` has a seed more of one solver, and shares a seed."""
    folder = tmp_path_factory.mktemp("cookbook")
    for run, solvers, seeds in (
        ("mine", "[ddim, dpmpp_2m, ancestral]", "[0, 1]"),
        ("theirs", "[ddim]", "[1, 2]"),
    ):
        file = folder / f"{run}.yaml"
        text = SUITE.replace("SOLVERS", solvers).replace("SEEDS", seeds)
        file.write_text(text if run == "mine" else text.replace("[1, 5, 10, 20, 40]", "[5]"))
        store = Store(folder / "results" / run)
        cells = make_plan(load_config(file), load_registry(), "cpu")
        for cell in cells:
            store.write(cell.key, run_cell(cell, Machine("cpu", 1, 1)).rows, None)
        store.write_plan(run, [cell.key for cell in cells])
    return folder


@pytest.fixture
def rows(results: Path) -> Rows:
    """The rows of `mine`, read without any of what the recipes use."""
    found: Rows = bench.load_results(results / "results" / "mine").to_dict("records")
    return found


@pytest.fixture
def recipe(results: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Runs the block under the heading that begins so, and returns the names that it made."""
    monkeypatch.chdir(results)
    blocks = dict(_blocks(PAGE.read_text(encoding="utf-8")))

    def run(heading: str) -> dict[str, Any]:
        (code,) = (code for title, code in blocks.items() if title.startswith(heading))
        names: dict[str, Any] = {}
        exec(blocks["Cookbook"], names)
        exec(code, names)
        return names

    return run


def _blocks(page: str) -> Iterator[tuple[str, str]]:
    """The headings of the page, each with its one block of Python."""
    for part in re.split(r"^#+ ", page, flags=re.MULTILINE)[1:]:
        for code in re.findall(r"```python\n(.*?)```", part, flags=re.DOTALL):
            yield part.splitlines()[0], code


def _means(rows: Rows, metric: str, by: str) -> dict[tuple[str, str, float], float]:
    """Mean values by process, sampler and the column ``by``."""
    values = defaultdict(list)
    for row in rows:
        if row["metric"] == metric and row["status"] == "ok":
            values[row["process"], row["sampler"], row[by]].append(row["value"])
    return {place: math.fsum(found) / len(found) for place, found in values.items()}


def test_there_are_ten_questions_and_each_has_a_block() -> None:
    headings = [title for title, _ in _blocks(PAGE.read_text(encoding="utf-8"))]
    numbers = [title.split(".")[0] for title in headings if title[0].isdigit()]
    assert numbers == [str(i) for i in range(1, 11)]
    assert headings[-1] == "In Polars and DuckDB"


def test_the_best_at_a_budget(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("1.")["ranking"]
    known = {p: v for p, v in _means(rows, "fd_digits", "budget").items() if p[2] == 10}
    assert len(found) == len(known) == 6
    means = {(r["process"], r["sampler"], 10): r["mean"] for r in found.to_dict("records")}
    assert means == pytest.approx(known)
    assert found["mean"].is_monotonic_increasing
    assert found["sampler"][0] == "dpmpp_2m"
    assert set(found["count"]) == {2}


def test_evaluations_to_a_target(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("2.")["needed"].reset_index()
    known: dict[tuple[str, str], float] = {}
    for (process, sampler, nfe), value in _means(rows, "fd_digits", "nfe").items():
        if value <= 12:
            known[process, sampler] = min(nfe, known.get((process, sampler), math.inf))
    assert known
    assert {(r.process, r.sampler): r.nfe for r in found.itertuples()} == known
    assert min(_means(rows, "fd_digits", "nfe").values()) < 12 < max(known.values())


def test_curves_as_csv(rows: Rows, recipe: Callable[[str], dict[str, Any]], results: Path) -> None:
    recipe("3.")
    found = pd.read_csv(results / "curves.csv")
    for metric in ("fd_digits", "rmse"):
        numbers = found[found["metric"] == metric].to_dict("records")
        means = {(r["process"], r["sampler"], r["budget"]): r["value"] for r in numbers}
        assert means == pytest.approx(_means(rows, metric, "budget"))
    assert set(found["seeds"]) == {2}


def test_what_failed(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("4.")["bad"].to_dicts()
    known = [row for row in rows if row["status"] != "ok"]
    assert known
    assert sum(group["len"] for group in found) == len(known)
    assert {group["reason"] for group in found} == {row["reason"] for row in known}


def test_seconds_per_sample(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("5.")["seconds"]
    times = defaultdict(set)
    for row in rows:
        if row["status"] == "ok" and row["sampler"] in ("ddim", "dpmpp_2m"):
            times[row["sampler"], row["nfe"]].add(row["sample_wall_s"] / row["samples"])
    assert len(found) == len(times)
    for place in found.itertuples():
        assert len(times[place.sampler, place.nfe]) == 4  # two processes, two seeds
        middle = sorted(times[place.sampler, place.nfe])[1:3]
        assert place.s_per_sample == pytest.approx(sum(middle) / 2)


def test_two_runs_together(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("6.")["merged"]
    fine = [row for row in rows if row["status"] == "ok"]
    # Of theirs the cells of seed 1 are known already; those of seed 2 (of two processes, with
    # fd_digits, rmse and its reference) are new.
    assert len(found) == len(fine) + 2 * 3
    assert sorted(found[(found.sampler == "ddim") & (found.budget == 5)].seed.unique()) == [0, 1, 2]
    assert found.groupby(["process", "sampler", "budget", "metric", "seed"]).size().max() == 1


def test_measured_orders(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = {(r["process"], r["sampler"]): r[0] for r in _records(recipe("7.")["orders"])}
    assert set(found) == {(p, s) for p in ("edm", "vp") for s in ("ddim", "dpmpp_2m")}
    points = {k: v for k, v in _means(rows, "rmse", "steps").items() if k[2] >= 8}
    for curve, order in found.items():
        x, y = zip(
            *((math.log(n), math.log(v)) for (*c, n), v in points.items() if tuple(c) == curve),
            strict=True,
        )
        mx, my = sum(x) / len(x), sum(y) / len(y)
        slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        assert order == pytest.approx(-slope / sum((a - mx) ** 2 for a in x))
    assert found["edm", "ddim"] < 1.3 < found["edm", "dpmpp_2m"]


def _records(series: Any) -> Any:
    return series.reset_index().to_dict("records")


def test_a_latex_table(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("8.")["latex"]
    known = {p: v for p, v in _means(rows, "fd_digits", "budget").items() if p[2] in (5, 10, 20)}
    assert found.startswith("\\begin{tabular}")
    assert "dpmpp\\_2m" in found
    assert "karras" not in found  # the same in all rows
    for budget in (5, 10, 20):
        best = min(value for place, value in known.items() if place[2] == budget)
        assert f"\\textbf{{{best:.2f}}}" in found
    assert all(f"{value:.2f}" in found for value in known.values())


def test_what_a_number_rests_on(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    found = recipe("9.")["protocol"]
    fine = (row for row in rows if row["metric"] == "fd_digits" and row["status"] == "ok")
    best = min(fine, key=lambda row: row["value"])
    assert {name: found[name] for name in found.index} == {name: best[name] for name in found.index}
    assert len(found["weights"]) == 64
    assert found["metric_n"] == 64


def test_what_may_be_compared(rows: Rows, recipe: Callable[[str], dict[str, Any]]) -> None:
    names = recipe("10.")
    assert set(names["same"]) <= set(ARROW.names)
    for group in names["comparable"].values():
        assert group["metric"].nunique() == group["metric_n"].nunique() == 1
        assert group["weights"].nunique() == group["reference_hash"].nunique() == 1
    compared = {group["metric"].iloc[0] for group in names["comparable"].values()}
    assert {"fd_digits", "rmse"} <= compared


def test_files_open_in_polars_and_duckdb(
    rows: Rows, recipe: Callable[[str], dict[str, Any]]
) -> None:
    names = recipe("In Polars")
    frame, files = names["frame"], names["files"]
    fine = [r["value"] for r in rows if r["metric"] == "fd_digits" and r["status"] == "ok"]
    assert len(frame) == 3 * 4
    # As many values are behind each mean: two processes and two seeds.
    assert frame["value"].mean() == pytest.approx(sum(fine) / len(fine))
    mine = files[files["run"] == "mine"]
    assert mine["value"].mean() == pytest.approx(frame["value"].mean())
    assert set(files["run"]) == {"mine", "theirs"}
