"""The README's first command, from the installed package, in an empty folder.

Every cell of the matrix runs, of fewer samples; with ``-m slow`` the file also runs as it stands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import bench

ROOT = Path(__file__).parents[2]
SAMPLERS = {
    "euler_maruyama",
    "reverse_diffusion + langevin",
    "ancestral",
    "euler",
    "heun",
    "ddim",
    "dpmpp_2m",
    "dopri5",
}


@pytest.mark.skipif("TOX_ENV_DIR" not in os.environ, reason="only tox installs the wheel")
def test_the_tests_run_against_the_installed_wheel() -> None:
    assert Path(bench.__file__).is_relative_to(sys.prefix)


def _short(text: str) -> str:
    """The same matrix with at most 64 samples a cell."""
    return re.sub(r"\bsamples: (\d+)", lambda m: f"samples: {min(int(m.group(1)), 64)}", text)


@pytest.fixture(scope="module", params=["short", pytest.param("whole", marks=pytest.mark.slow)])
def job(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, object], Path]:
    """The summary that the job prints, and the folder in which it ran."""
    folder = tmp_path_factory.mktemp("empty")
    text = (ROOT / "benchmarks.yaml").read_text(encoding="utf-8")
    file = folder / "benchmarks.yaml"
    file.write_text(_short(text) if request.param == "short" else text, encoding="utf-8")
    command = [str(Path(sys.prefix) / "bin" / "bench"), "run", str(file)]
    done = subprocess.run(
        [*command, "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout), folder


@pytest.fixture(scope="module")
def table(job: tuple[dict[str, object], Path]) -> pd.DataFrame:
    """The results of the job."""
    return bench.load_results(job[1] / "results" / "benchmarks")


@pytest.mark.timeout(1800)
def test_leaves_tables_and_a_report(job: tuple[dict[str, object], Path]) -> None:
    summary, folder = job
    assert set(summary["cells"]) == {"ok"}  # type: ignore[call-overload]
    assert (folder / str(summary["report"])).stat().st_size > 100_000
    assert list((folder / "results" / "benchmarks" / "cells").glob("*.parquet"))


@pytest.mark.parametrize(("suite", "metric"), [("digits", "fd_digits"), ("mnist", "fd_mnist")])
def test_compares_eight_samplers_at_four_budgets_under_vp(
    table: pd.DataFrame, suite: str, metric: str
) -> None:
    rows = table[(table.suite == suite) & (table.metric == metric) & (table.process == "vp")]
    assert (rows.status == "ok").all()
    points = rows[rows.seed == 0].groupby("sampler").size()
    assert set(points.index) >= SAMPLERS
    assert (points >= 4).all()


def test_has_the_other_sdes_likelihoods_and_exact_references(table: pd.DataFrame) -> None:
    values = table[table.value.notna()]
    assert {"ve", "vp", "subvp"} <= set(values[values.model == "mnist_unet"].process)
    assert {"nll_bpd", "nll_bpd_error", "nll_error_nats", "swd"} <= set(values.metric)


def test_no_cell_costs_more_than_its_budget(table: pd.DataFrame) -> None:
    fixed = table[table.budget.notna()]
    assert (fixed.nfe == fixed.nfe_declared).all()
    assert (fixed.nfe <= fixed.budget).all()
    assert not fixed.over_budget.any()


def test_better_solvers_have_smaller_errors_at_the_same_price(table: pd.DataFrame) -> None:
    """A coarse check of the ranking everybody knows: a second-order multistep beats DDIM."""
    rows = table[(table.suite == "mnist") & (table.metric == "rmse") & (table.budget == 40)]
    rmse = rows.set_index("sampler").value
    assert rmse["dpmpp_2m"] < 0.5 * rmse["ddim"]
