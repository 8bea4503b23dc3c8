"""Sampling times as pytest-benchmark reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.stats import Stats
from typer.testing import CliRunner

from bench.cli.main import app
from bench.compare.timings import stats, timings
from bench.core.errors import BenchError


def test_figures_are_those_of_pytest_benchmark() -> None:
    data = [1.0, 2.0, 3.0, 4.0, 100.0]
    theirs = Stats()
    for x in data:
        theirs.update(x)
    expected, found = theirs.as_dict(), stats(data)
    assert {"data", "iterations", *expected} == set(found)
    for name in ("min", "max", "mean", "stddev", "rounds", "median", "total", "outliers"):
        assert found[name] == pytest.approx(expected[name]), name
    assert stats([2.0])["ops"] == 0.5


def test_pytest_benchmark_compares_the_file(made: Any, tmp_path: Path) -> None:
    rows = [
        {**made.number(1.0, seed=s, solver=name), "sample_wall_s": 0.5 + s}
        for s in range(3)
        for name in ("euler", "<b>")
    ]
    root, out = made.written(tmp_path / "run", rows), tmp_path / "timings.json"
    result = CliRunner().invoke(app, ["timings", str(root), "--out", str(out)])
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text("utf-8"))["benchmarks"][0]
    assert (found["stats"]["rounds"], found["stats"]["mean"]) == (3, pytest.approx(0.015))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("pytest-benchmark")), "compare", str(out)]
        if Path(sys.executable).with_name("pytest-benchmark").exists()
        else [sys.executable, "-m", "pytest_benchmark", "compare", str(out)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "euler on karras at 10 NFE" in done.stdout


def test_a_run_without_times_is_told(made: Any) -> None:
    with pytest.raises(BenchError, match="no cell of the run has a sampling time"):
        timings(made.side("x", [made.number(1.0)]).frame)
