"""Runs of equal files pair wherever these lay, and people see names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.compare.compare import compare
from bench.compare.inputs import open_results
from bench.compare.json_form import as_json
from bench.compare.question import CompareOptions
from bench.compare.result import Comparison, ExitCode
from bench.compare.text import text
from bench.compare.timings import timings
from bench.report import write_report
from bench.results.places import names, names_in, places, with_names

ONE, TWO = "sha256:" + "1" * 16, "sha256:" + "2" * 16


def _file(made: Any, path: str, digest: str = ONE, value: float = 1.0, **changes: Any) -> Any:
    """A row of a model that read a file."""
    row = made.number(value, model_params=json.dumps({"path": digest}), **changes)
    return {**row, "files": json.dumps({digest: path})}


def _solver(made: Any, path: str, **changes: Any) -> Any:
    """A row of a solver that read a file."""
    params, label = json.dumps({"table": ONE}), f"tabulated(table={ONE})"
    row = made.number(1.0, solver="tabulated", solver_params=params, sampler=label, **changes)
    return {**row, "files": json.dumps({ONE: path})}


def _metric(made: Any, path: str, **changes: Any) -> Any:
    """A row of a metric that read a file."""
    row = made.number(1.0, metric_params=json.dumps({"against": ONE}), **changes)
    return {**row, "files": json.dumps({ONE: path})}


@pytest.mark.parametrize("row", [_file, _solver, _metric])
def test_equal_files_at_other_places_pair(made: Any, row: Any) -> None:
    found: Comparison = made.compared([row(made, "alice/x.npz")], [row(made, "/b/data dir/y.npz")])
    assert (len(found.points), found.missing, found.exit_code) == (1, (), ExitCode.FINE)
    told = text(found, width=1000)
    assert "sha256:" not in told
    (file,) = json.loads(as_json(found))["files"]
    assert file == {
        "name": "x.npz",
        "digest": ONE,
        "base": "alice/x.npz",
        "head": "/b/data dir/y.npz",
    }


def test_other_files_of_the_same_name_are_told_apart(made: Any) -> None:
    rows = [_file(made, "a/net.pkl", ONE), _file(made, "b/net.pkl", TWO, 2.0)]
    found = made.compared(rows, rows)
    assert len(found.points) == 2
    assert set(found.points["model_params"]) == {
        '{"path": "net.pkl@11111111"}',
        '{"path": "net.pkl@22222222"}',
    }
    assert made.compared(rows[:1], rows[1:]).exit_code == ExitCode.NOT_COMPARABLE


def test_numbers_per_sample_are_found(made: Any, tmp_path: Path) -> None:
    values = np.linspace(0.0, 1.0, 50)
    params = json.dumps({"against": ONE})

    def side(name: str, path: str) -> Any:
        row = {**made.sampled(values, metric_params=params), "files": json.dumps({ONE: path})}
        result = made.side(name, [row])
        kept = {f"{row['metric']} {params}": values.astype(np.float32)}
        result.runs[0].kept[row["key"]] = kept
        return result

    found = compare(side("a", "x.npz"), side("b", "else/y.npz"), CompareOptions())
    assert found.points["basis"].tolist() == ["paired samples"]
    assert found.points["identical"].tolist() == [True]


def test_a_rename_takes_the_label_that_is_shown(made: Any) -> None:
    base, head = [_solver(made, "t.json")], [made.number(1.0)]
    question = CompareOptions(renames=(("tabulated(table=t.json)", "euler"),))
    assert len(made.compared(base, head, question).points) == 1


def test_results_of_an_earlier_version_are_read(made: Any, tmp_path: Path) -> None:
    row = made.number(1.0, model_params='{"path":"a/net.pkl"}')
    root = made.written(tmp_path / "old", [row])
    with open_results(str(root)) as old:
        frame = old.frame.drop(columns="files")
    side = made.side("old", [])
    older = type(side)("old", frame, side.runs)
    found = compare(older, older, CompareOptions())
    assert (len(found.points), found.files) == (1, ())
    assert with_names(frame) is frame
    assert names_in(frame) == {}


@pytest.mark.parametrize("damaged", ["{", "[1]", "3", '"x"', "", "{}", None])
def test_a_damaged_column_of_files_shows_digests(made: Any, damaged: Any) -> None:
    rows = [{**_file(made, "a"), "files": damaged}]
    found = made.compared(rows, rows)
    assert ONE in found.points["model_params"].iloc[0]


def test_names_are_as_many_as_files() -> None:
    digests = [f"sha256:{i:016x}" for i in range(6)]
    paths = ["a/x", "b/x", "x@00000000", "published:x", "hub:o/n@main", "c\\w.pkl"]
    called = names(dict(zip(digests, paths, strict=True)))
    assert len(set(called.values())) == 6
    assert called[digests[3]] == "published:x"
    assert called[digests[4]] == "hub:o/n@main"
    assert called[digests[5]] == "w.pkl"
    assert places([json.dumps({"fid.root": "/data", ONE: 'q"\\x'})]) == {ONE: 'q"\\x'}


def test_names_with_quotes_leave_parameters_readable() -> None:
    frame = pd.DataFrame(
        {"model_params": [json.dumps({"path": ONE})], "files": [json.dumps({ONE: 'a/q" \\ä'})]}
    )
    (shown,) = with_names(frame)["model_params"]
    assert json.loads(shown)["path"] in ('q" \\ä', "ä")


def test_times_of_equal_files_have_equal_names(made: Any) -> None:
    told = []
    for path in ("a/x.npz", "b/y.npz"):
        row = {**_file(made, path), "sample_wall_s": 1.0, "python": "3", "platform": "x"}
        told.append(json.loads(timings(pd.DataFrame([row]).assign(place=0)))["benchmarks"][0])
    assert told[0]["fullname"] == told[1]["fullname"]


def test_the_report_shows_names_and_pairs_by_content(made: Any, tmp_path: Path) -> None:
    def run(name: str, path: str) -> Path:
        rows = [_file(made, path, value=10.0 / b, budget=b) for b in (5, 10, 20)]
        rows += [_file(made, f"{path}2", TWO, 20.0 / b, budget=b, seed=1) for b in (5, 10, 20)]
        keyed = [{**row, "key": f"{i:064d}"} for i, row in enumerate(rows)]
        root: Path = made.written(tmp_path / name, keyed)
        return root

    before, after = run("before", "alice/net.pkl"), run("after", "bob/else.pkl")
    report = write_report(after, tmp_path / "report", str(before))
    assert report.comparison.startswith("no regression: 6 comparisons")
    page = report.page.read_text(encoding="utf-8")
    assert "mlp(path=else.pkl)" in page
    assert "mlp(path=else.pkl2)" in page
    assert f"bob/else.pkl ({ONE})" in page  # where the files lay
    tables = "".join(t.read_text("utf-8") for t in report.tables if t.suffix == ".tex")
    assert "else.pkl" in tables
    assert "sha256" not in tables
    other = made.written(tmp_path / "other", [made.number(1.0, suite="x")])
    apart = write_report(other, tmp_path / "report2", str(before))
    assert apart.comparison.startswith("NOT COMPARABLE: nothing could be compared")
    assert "nothing could be compared" in apart.page.read_text(encoding="utf-8")
