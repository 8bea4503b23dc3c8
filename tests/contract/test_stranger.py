"""A solver in a distribution of its own: found, shown and run without a change to the host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bench

SOLVER = Path(__file__).parent / "stranger" / "stranger_ralston.py"
MATRIX = """\
suites:
  a:
    models: [gaussian_mixture]
    processes: [edm]
    solvers: [heun, ralston]
    nfe: [9, 17, 33, 65]
    samples: 64
    grids: [{name: karras, rho: 7}]
    metrics: [rmse]
"""


def test_is_at_most_25_lines() -> None:
    assert len(SOLVER.read_text(encoding="utf-8").splitlines()) <= 25


def test_is_listed_with_its_distribution_and_version(stranger: Any, tmp_path: Path) -> None:
    done = stranger.bench(tmp_path, "plugins", "--json", "--kind", "ode_solver")
    listed = json.loads(done.stdout)
    (found,) = [plugin for plugin in listed["plugins"] if plugin["name"] == "ralston"]
    assert found["distribution"] == "stranger-ralston"
    assert found["version"] == "1.2.3"
    assert found["kind"] == "ode_solver"
    assert found["reference"].startswith("Ralston")
    assert found["doc"].startswith("Ralston's method in t")
    assert listed["broken"] == []
    assert "ralston" in stranger.bench(tmp_path, "plugins").stdout


def test_runs_from_yaml_into_the_table(stranger: Any, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    done = stranger.bench(tmp_path, "run", "b.yaml", "--no-report", "--workers", "2")
    assert done.returncode == 0, done.stderr
    table = bench.load_results(tmp_path / "results" / "b")
    rows = table[(table.solver == "ralston") & (table.metric == "rmse")].sort_values("budget")
    assert list(rows.status) == ["ok"] * 4
    assert list(rows.nfe) == [9.0, 17.0, 33.0, 65.0]
    assert rows.solver_source.str.startswith("stranger-ralston 1.2.3 ").all()
    errors = list(rows.value)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 5


def test_is_unknown_where_it_is_not_installed(evil: Any, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    done = evil.bench(tmp_path, "run", "b.yaml", "--dry-run")
    assert done.returncode == 2
    assert "b.yaml:5: suites.a.solvers[1]: unknown" in done.stderr


def test_edited_code_makes_another_key(stranger: Any, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    arguments = ("run", "b.yaml", "--dry-run", "--json", "--only", "nfe=9")
    module = stranger.path / "stranger_ralston.py"
    original = module.read_text(encoding="utf-8")

    def keys() -> dict[str, str]:
        plan = json.loads(stranger.bench(tmp_path, *arguments).stdout)["plan"]
        return {item["title"].split()[4]: item["key"] for item in plan}

    before = keys()
    module.write_text(original + "\n# edited\n", encoding="utf-8")
    try:
        after = keys()
    finally:
        module.write_text(original, encoding="utf-8")
    assert after["heun"] == before["heun"]
    assert after["ralston"] != before["ralston"]
