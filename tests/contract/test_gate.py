"""The gate on a stranger's solver, and the steps of the action that put it into CI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.results.schema import COLUMNS
from bench.results.store import Store

ROOT = Path(__file__).parents[2]

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "gated"
version = "{version}"

[project.entry-points."scorebench.plugins"]
gated = "gated"

[tool.hatch.build.targets.wheel]
include = ["gated.py"]
"""

SOLVERS = '''\
"""Two solvers."""

from dataclasses import dataclass

from bench.api import OdeSolver, Predictor, combine, hookimpl


@dataclass(frozen=True)
class Second(OdeSolver[None]):
    """Heun's method in s, by way of the noise."""

    name, order = "gated_ode", 2
    reference = "Karras et al. 2022, arXiv:2206.00364, Algorithm 1"

    def cost(self, steps):
        return 2 * steps

    def step(self, problem, x, now, then, state):
        slope = problem.eps(x, now)
        reach = then.alpha * (then.s - now.s)
        ahead = combine((then.alpha / now.alpha, x), (reach, slope))
        later = problem.eps(ahead, then)
        first, second = reach * 0.5, reach * 0.5
        return combine((then.alpha / now.alpha, x), (first, slope), (second, later)), None


@dataclass(frozen=True)
class Noisy(Predictor):
    """Ancestral sampling: down to a lower level, and noise back up."""

    name, order = "gated_sde", 1
    reference = "Song et al. 2021, arXiv:2011.13456, Appendix F"

    def step(self, problem, x, now, then, state):
        up = then.s * (1 - (then.s / now.s) ** 2) ** 0.5
        down = then.s**2 / now.s
        noise = problem.normal() * 1.0
        return (
            combine(
                (then.alpha / now.alpha, x),
                (then.alpha * (down - now.s), problem.eps(x, now)),
                (then.alpha * up, noise),
            ),
            None,
        )


@hookimpl
def bench_ode_solvers():
    return [Second]


@hookimpl
def bench_predictors():
    return [Noisy]
'''

# As in the quick suite.
SUITE = """\
name: gated
suites:
  digits:
    models: [digits_mlp]
    solvers: [gated_ode, gated_sde]
    nfe: [5, 10, 20]
    samples: 2048
    metrics: [fd_digits, {name: rmse, samples: 256}]
"""


def _package(folder: Path, version: str, *edits: tuple[str, str]) -> Path:
    """The package with its code changed."""
    code = SOLVERS
    for old, new in edits:
        assert code.count(old) >= 1
        code = code.replace(old, new)
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(version=version), encoding="utf-8")
    (folder / "gated.py").write_text(code, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the suite."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "suite.yaml").write_text(SUITE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ran(suite: Path, installed_from: Callable[[Path], Any]) -> Callable[..., Path]:
    """Runs the suite with a version of the package; returns the run's folder."""

    def run(name: str, *edits: tuple[str, str]) -> Path:
        results = suite / name
        if not results.exists():
            site = installed_from(_package(suite / f"{name}-source", "1.0", *edits))
            done = site.bench(suite, "run", "suite.yaml", "--results", str(results), "--no-report")
            assert done.returncode == 0, done.stdout + done.stderr
        return results / "gated"

    return run


def _compared(base: Path, head: Path, *options: str) -> tuple[int, dict[str, Any]]:
    bench = str(Path(sys.executable).with_name("bench"))
    done = subprocess.run(
        [bench, "compare", str(base), str(head), "--format", "json", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


REFACTORED = (
    ("reach = then.alpha * (then.s - now.s)", "reach = then.alpha * (then.s - now.s) * 1"),
)
ORDER_1 = (("first, second = reach * 0.5, reach * 0.5", "first, second = reach, 0.0"),)
LOUD = (("problem.normal() * 1.0", "problem.normal() * 1.02"),)


@pytest.mark.slow
def test_a_refactoring_passes_bit_for_bit(ran: Callable[..., Path]) -> None:
    code, found = _compared(ran("sound"), ran("refactored", *REFACTORED))
    assert code == 0
    assert found["verdicts"]["same"] == found["bit_identical"] == len(found["points"]) == 9


@pytest.mark.slow
def test_an_order_lost_is_worse(ran: Callable[..., Path]) -> None:
    code, found = _compared(ran("sound"), ran("order", *ORDER_1))
    assert code == 1
    assert _solvers(found, "worse") == {"gated_ode"}
    assert all(p["identical"] for p in found["points"] if p["solver"] == "gated_sde")


@pytest.mark.slow
def test_noise_scaled_by_two_percent_moves(ran: Callable[..., Path]) -> None:
    """It may improve the distance, at few steps; so a gate on both sides is what catches it."""
    code, found = _compared(ran("sound"), ran("noise", *LOUD), "--gate", "fd_*:±0.5%")
    assert code == 1
    assert _solvers(found, "worse") | _solvers(found, "better") == {"gated_sde"}
    assert all(p["identical"] for p in found["points"] if p["solver"] == "gated_ode")


def _solvers(found: dict[str, Any], verdict: str) -> set[str]:
    return {point["solver"] for point in found["points"] if point["verdict"] == verdict}


SMALL = SUITE.replace("2048", "256").replace("[5, 10, 20]", "[8]").replace("256}", "64}")


@pytest.fixture
def action(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a step of the action in a repository; returns its exit code and the summary."""
    site, summary = tmp_path / "site", tmp_path / "summary.md"
    (tmp_path / "benchmarks.yaml").write_text(SMALL, encoding="utf-8")

    def step(name: str, **inputs: str) -> tuple[int, str]:
        summary.write_text("", encoding="utf-8")
        environment = {
            **os.environ,
            **inputs,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(site),
            "PIP_TARGET": str(site),
            "PIP_UPGRADE": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it the other way round
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        }
        done = subprocess.run(
            ["bash", str(ROOT / "ci" / "action.sh"), name],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        return done.returncode, summary.read_text(encoding="utf-8")

    return step


def test_the_action_passes_then_finds_a_regression_then_refuses(
    action: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    package = _package(tmp_path / "package", "1.0")
    assert action("install", BENCH_PACKAGE=str(package))[0] == 0
    assert action("run")[0] == 0
    shutil.copytree(tmp_path / "bench-out" / "results", tmp_path / "results" / "baseline")
    code, summary = action("compare")
    assert code == 0
    assert summary.startswith("## ✅ no regression")
    assert "3 bit-identical" in summary

    wrong = SOLVERS.replace("problem.normal() * 1.0", "problem.normal() * 0.3")
    (package / "gated.py").write_text(wrong, encoding="utf-8")
    assert action("install", BENCH_PACKAGE=str(package))[0] == 0
    assert action("run")[0] == 0
    code, summary = action("compare", BENCH_GATES="fd_*:+2%\n\nrmse:+2%")
    assert code == 1
    assert summary.startswith("## ❌ REGRESSION")
    assert "| **worse** | digits: digits\\_mlp, vp | gated\\_sde" in summary
    assert (tmp_path / "outputs").read_text().splitlines()[-1] == "exit-code=1"
    assert (tmp_path / "bench-out" / "compare.xml").exists()
    code, _ = action("compare", BENCH_ARGUMENTS="--only=solver=gated_ode")
    assert code == 0

    (tmp_path / "benchmarks.yaml").write_text(SMALL.replace("256", "192"), encoding="utf-8")
    assert action("run")[0] == 0
    code, summary = action("compare")
    assert code == 2
    assert summary.startswith("## ⚠️ NOT COMPARABLE")
    assert "metric\\_n is 256 in BASE, 192 in HEAD" in summary


def test_the_action_tells_of_bad_input(action: Callable[..., tuple[int, str]]) -> None:
    code, summary = action("run", BENCH_SUITE="$(touch owned).yaml")
    assert code == 2
    assert "there is no such file" in summary
    code, summary = action("compare", BENCH_BASELINE="--help")
    assert code == 2
    assert "Nothing was compared" in summary
    assert action("nonsense")[0] == 2


def test_lost_points_fail_the_action_unless_they_may(
    action: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """Without a run: two folders of results as `bench run` writes them, one with less."""
    results = tmp_path / "bench-out" / "results"
    for budgets, folder in (((5, 10), tmp_path / "results/baseline/x"), ((5,), results / "x")):
        store = Store(folder)
        rows = {f"{budget:064d}": _row(budget) for budget in budgets}
        for key, row in rows.items():
            store.write(key, [{**row, "key": key}], None)
        store.write_plan("x", list(rows))
    code, summary = action("compare")
    assert (code, summary.split(":")[0]) == (1, "## ❌ POINTS LOST")
    code, summary = action("compare", BENCH_ALLOW_LOST="true")
    assert (code, summary.split(":")[0]) == (0, "## ✅ no regression")
    assert "1 numbers of BASE are missing in HEAD" in summary
    code, summary = action("compare", BENCH_ALLOW_LOST="true", BENCH_GATES="rmse\nfd")
    assert code == 2
    assert "no result has such a metric" in summary
    code, summary = action("compare", BENCH_ARGUMENTS="--only=nfe=10")
    assert code == 2
    assert "Nothing was compared" in summary
    assert action("compare", BENCH_ALLOW_LOST="yes")[0] == 2
    shutil.rmtree(results / "x")
    Store(results / "y").write("0" * 64, [{**_row(5), "suite": "else", "key": "0" * 64}], None)
    code, summary = action("compare", BENCH_ALLOW_LOST="true")
    assert code == 2
    assert "NOT COMPARABLE: nothing could be compared" in summary
    assert (tmp_path / "outputs").read_text().splitlines()[-1] == "exit-code=2"


def _row(budget: int) -> dict[str, Any]:
    """A number as a cell has it."""
    row: dict[str, Any] = {column.name: None for column in COLUMNS}
    return row | {
        "suite": "s",
        "model": "m",
        "process": "p",
        "grid": "g",
        "solver": "ddim",
        "sampler": "ddim",
        "solver_kind": "ode_solver",
        "budget": budget,
        "nfe": float(budget),
        "seed": 0,
        "metric": "fd",
        "metric_n": 10,
        "value": 1.0,
        "larger_is_better": False,
        "batch_coupled": False,
        "status": "ok",
    }
