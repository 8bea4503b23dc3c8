"""The committed baseline of the quick suite, and `bench baseline update`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.config.load import load_config
from bench.config.suites import resolve
from bench.registry import load_registry
from bench.results import bundle
from bench.results.store import Store
from bench.run.plan import make_plan

BASELINE = Path(__file__).parents[2] / "results" / "baseline"
GATE = "*:±0.5%"
BENCH = str(Path(sys.executable).with_name("bench"))

SMALL = """\
name: small
suites:
  a:
    models: [gaussian_mixture]
    solvers: [ddim]
    nfe: [5, 10]
    samples: 64
    metrics: [rmse]
"""


def _bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BENCH, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def baseline() -> Path:
    """The committed one; it is no part of an installed package."""
    if not BASELINE.is_dir():
        pytest.skip("no baseline beside the tests")
    return BASELINE


def test_the_baseline_is_small_and_holds_the_quick_suite(baseline: Path) -> None:
    assert sum(file.stat().st_size for file in baseline.rglob("*")) < 2 * 2**20
    rows = bundle.rows(baseline / "quick")
    place = ["suite", "solver", "corrector", "grid", "budget", "seed"]
    cells = make_plan(load_config(resolve(Path("quick"))), load_registry(), "cpu")
    planned = {
        (
            cell.suite,
            cell.solver.name,
            cell.corrector.name if cell.corrector else "",
            cell.grid.name if cell.grid else "",
            cell.budget,
            cell.seed,
        )
        for cell in cells
    }
    assert set(rows[place].itertuples(index=False, name=None)) == planned


def test_every_ranked_number_of_the_baseline_has_evidence(baseline: Path) -> None:
    rows = bundle.rows(baseline / "quick")
    kept = bundle.evidence(baseline / "quick")
    ranked = rows[rows["larger_is_better"].notna()]
    assert len(ranked) >= 80
    for row in ranked.to_dict("records"):
        params = row["metric_params"]
        name = row["metric"] if params == "{}" else f"{row['metric']} {params}"
        assert len(kept[row["key"]][name]) == row["metric_n"]


def test_the_project_compares_itself_with_its_baseline(baseline: Path, tmp_path: Path) -> None:
    """On another processor last bits differ, and nothing else.

    The gate has two sides: a wrong step can make a number better, too.
    """
    done = _bench(tmp_path, "run", "quick", "--no-report")
    assert done.returncode == 0, done.stdout + done.stderr
    done = _bench(
        tmp_path, "compare", str(baseline), "results/quick", "--format", "json", "--gate", GATE
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["lost"], found["refused"]) == (0, [], [])
    assert found["verdicts"]["same"] == len(found["points"]) >= 80


def test_update_writes_a_bundle_that_compares_bit_for_bit(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    done = _bench(tmp_path, "baseline", "update", "--suite", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert "results/baseline/small (2 cells" in done.stderr
    files = sorted(path.name for path in (tmp_path / "results/baseline/small").iterdir())
    assert files == [bundle.EVIDENCE, bundle.ROWS]
    done = _bench(tmp_path, "compare", "results/baseline", "results/small")
    assert "2 same (2 bit-identical)" in done.stdout


def test_update_keeps_the_old_baseline_where_a_cell_fails(tmp_path: Path) -> None:
    bad = SMALL.replace("samples: 64", "samples: 64\n    timeout: 0.001")
    (tmp_path / "small.yaml").write_text(bad, encoding="utf-8")
    done = _bench(tmp_path, "baseline", "update", "--suite", "small.yaml")
    assert done.returncode == 2
    assert "the baseline stays as it was" in done.stderr
    assert not (tmp_path / "results" / "baseline").exists()


def test_a_bundle_gives_the_rows_back(made: Any, tmp_path: Path) -> None:
    rows = [made.number(1.0), made.number(None, budget=20, status="failed")]
    store = Store(made.written(tmp_path / "run", rows, evidence=True))
    bundle.write(store, tmp_path / "bundle")
    pd.testing.assert_frame_equal(bundle.rows(tmp_path / "bundle"), store.load())
    kept = bundle.evidence(tmp_path / "bundle")
    assert list(kept) == [rows[0]["key"]]
