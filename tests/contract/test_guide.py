"""A guidance and a task of thirty lines, each in a distribution of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bench

HERE = Path(__file__).parent
SUITE = """\
suites:
  a:
    models: [{name: random_mixture, dim: 3}]
    tasks: [{name: sum, draws: 32}]
    guidance: [pull, exact]
    solvers: [ddim]
    nfe: [10]
    samples: 64
    dtype: float64
    metrics: [rmse]
"""


@pytest.fixture(scope="module")
def site(installed: Callable[..., Any]) -> Any:
    """Both, installed."""
    return installed("guide", "tasker")


@pytest.mark.parametrize("module", ["guide/stranger_pull.py", "tasker/stranger_sum.py"])
def test_thirty_lines_are_enough(module: str) -> None:
    lines = (HERE / module).read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 30


@pytest.mark.parametrize(("name", "skipped"), [("pull", set()), ("sum", set())])
def test_it_conforms(site: Any, tmp_path: Path, name: str, skipped: set[str]) -> None:
    done = site.bench(tmp_path, "plugins", "check", name, "--json")
    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == 0, done.stdout
    assert {f["check"] for f in findings if f["verdict"] == "skipped"} == skipped
    assert len(findings) >= 7


def test_it_runs_from_yaml_into_the_table(site: Any, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(SUITE)
    done = site.bench(tmp_path, "run", "b.yaml", "--no-report")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = bench.load_results(tmp_path / "results" / "b")
    rows = rows[rows["metric"] == "rmse"].set_index("guidance")
    assert set(rows["task"]) == {"sum"}
    assert (rows["status"] == "ok").all()
    assert "stranger-pull 0.1.0" in rows.loc["pull", "plugin_sources"]
    assert "stranger-sum 0.1.0" in rows.loc["pull", "plugin_sources"]
