"""Whatever a stranger's plugin does, the host goes on and says what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bench

MATRIX = """\
name: evil
defaults: {models: [gaussian_mixture], nfe: [5], samples: 64, timeout: 60.0}
suites:
  solvers:
    solvers:
      - ddim
      - evil_raises
      - evil_unprintable
      - evil_unpicklable
      - evil_nan
      - evil_exits
      - evil_quits
      - evil_interrupts
      - evil_kills
      - evil_talks
      - evil_shape
      - evil_few
      - evil_nothing
      - evil_memory
      - evil_cheats
      - honest
      - heun
    metrics: [{name: swd, reference_samples: 100}, rmse]
  hangs:
    solvers: [evil_hangs]
    metrics: [rmse]
    timeout: 3.0
  metrics:
    solvers: [ddim]
    metrics:
      - evil_start
      - evil_add
      - evil_result
      - evil_measure
      - evil_infinite
      - evil_tensor
      - evil_text
      - evil_none
      - evil_empty
      - evil_spoils
      - rmse
  models:
    models: [evil_weights, evil_nonsense]
    solvers: [ddim]
    metrics: [rmse]
"""
CELLS = 17 + 1 + 1 + 2


@pytest.fixture(scope="module")
def run(evil: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The whole matrix, run once."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "b.yaml").write_text(MATRIX, encoding="utf-8")
    done = evil.bench(folder, "run", "b.yaml", "--no-report", "--json", "--workers", "2")
    return folder, done


@pytest.fixture(scope="module")
def table(run: tuple[Path, Any]) -> pd.DataFrame:
    """Its results."""
    return bench.load_results(run[0] / "results" / "evil")


def test_the_run_ends_with_1_and_every_cell_has_its_rows(
    run: tuple[Path, Any], table: pd.DataFrame
) -> None:
    done = run[1]
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)  # and nothing else on standard output
    assert sum(summary["cells"].values()) == CELLS
    assert summary["cells"]["ok"] == 5  # ddim, evil_talks, evil_cheats, honest, heun
    assert table["key"].nunique() == CELLS
    assert set(table[table.status != "ok"].value.isna()) == {True}
    assert (table[~table.status.isin(["ok"])].reason != "").all()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("solver", "status", "reason"),
    [
        ("evil_raises", "failed", "RuntimeError: first line second line (evil_solvers.py:"),
        ("evil_unprintable", "failed", ""),
        ("evil_unpicklable", "failed", "UnpicklableError: cannot travel"),
        ("evil_nan", "diverged", "1 of 64 samples from number 0 on are not finite"),
        ("evil_exits", "failed", "the worker process died (exit code 1)"),
        ("evil_quits", "failed", "SystemExit: 3"),
        ("evil_interrupts", "failed", "KeyboardInterrupt"),
        ("evil_kills", "failed", "the worker process died (exit code -9)"),
        ("evil_hangs", "timeout", "took longer than 3 s; raise `timeout`"),
        ("evil_shape", "failed", "(64, 1)"),
        ("evil_few", "failed", "(62, 2)"),
        ("evil_nothing", "failed", "TypeError"),
        ("evil_memory", "failed", "out of memory"),
        ("evil_talks", "ok", ""),
        ("evil_cheats", "ok", ""),
        ("honest", "ok", ""),
        ("heun", "ok", ""),
    ],
)
def test_status_and_reason_of_a_solver(
    solver: str, status: str, reason: str, table: pd.DataFrame
) -> None:
    rows = table[table.solver == solver]
    assert set(rows.status) == {status}
    assert rows.reason.str.contains(reason, regex=False).all()
    assert not rows.reason.str.contains("\n").any()


def test_honest_neighbours_have_the_right_numbers(table: pd.DataFrame) -> None:
    rows = table[(table.suite == "solvers") & (table.metric == "rmse")].set_index("solver").value
    # These do DDIM's arithmetic besides their mischief.
    for name in ("honest", "evil_talks", "evil_cheats"):
        assert rows[name] == pytest.approx(rows["ddim"], rel=1e-4)
    assert rows["heun"] != pytest.approx(rows["ddim"], rel=1e-2)


def test_hidden_evaluations_are_counted_and_flagged(table: pd.DataFrame) -> None:
    row = table[table.solver == "evil_cheats"].iloc[0]
    assert (row.nfe_declared, row.nfe) == (5, 13.0)
    assert row.over_budget
    assert not table[table.solver == "honest"].over_budget.any()


@pytest.mark.parametrize(
    ("metric", "status", "reason"),
    [
        ("evil_start", "failed", "cannot start"),
        ("evil_add", "failed", "cannot add"),
        ("evil_result", "failed", "has no result"),
        ("evil_measure", "failed", "cannot measure"),
        ("evil_infinite", "diverged", "evil_infinite is inf"),
        ("evil_tensor", "ok", ""),
        ("evil_text", "failed", "much"),
        ("evil_none", "failed", "no measurement"),
        ("evil_empty", "failed", "no measurement"),
        ("evil_spoils", "ok", ""),
        ("rmse", "ok", ""),
    ],
)
def test_a_metric_fails_alone(metric: str, status: str, reason: str, table: pd.DataFrame) -> None:
    (row,) = table[(table.suite == "metrics") & (table.metric == metric)].itertuples()
    assert row.status == status
    assert reason in row.reason


def test_metrics_cannot_spoil_each_other(table: pd.DataFrame) -> None:
    rows = table[(table.solver == "ddim") & (table.metric == "rmse")].set_index("suite").value
    assert rows["metrics"] == rows["solvers"]
    tensor = table[table.metric == "evil_tensor"].iloc[0]
    assert (tensor.value, tensor.metric_n) == (2.5, 7)


def test_models_that_fail(table: pd.DataFrame) -> None:
    rows = table[table.suite == "models"].set_index("model")
    assert rows.status["evil_weights"] == "failed"
    assert rows.reason["evil_weights"] == "evil.bin: is missing; fetch it from nowhere"
    assert rows.status["evil_nonsense"] == "diverged"


def test_chatter_goes_to_the_log(run: tuple[Path, Any]) -> None:
    log = run[0] / "results" / "evil" / "workers.log"
    assert 5_000_000 < log.stat().st_size < 11_000_000  # of 10 MB and more, the end
    assert "blah" not in run[1].stdout + run[1].stderr


def test_broken_plugins_are_listed_with_their_reasons(evil: Any, tmp_path: Path) -> None:
    done = evil.bench(tmp_path, "plugins", "--json")
    assert done.returncode == 0
    listed = json.loads(done.stdout)  # although a plugin prints at import
    reasons: dict[str, list[str]] = {}
    for item in listed["broken"]:
        reasons.setdefault(item["entry_point"], []).append(item["reason"])
        assert item["distribution"] in ("evil", "twin-one", "twin-two")
        assert "\n" not in item["reason"]
    assert reasons["evil_import"] == ["RuntimeError: no import today, nor tomorrow"]
    assert reasons["evil_exit"] == ["SystemExit: goodbye"]
    assert reasons["evil_hook"] == ["LookupError: no solvers in stock"]
    assert reasons["evil_generator"] == ["LookupError: the generator broke"]
    assert reasons["evil_missing"][0].startswith("ModuleNotFoundError")
    assert reasons["evil_syntax"][0].startswith("SyntaxError")
    assert "unknown hook 'bench_ode_solverz'" in reasons["evil_misspelled"][0]
    assert [reason.partition(":")[0] for reason in reasons["evil_classes"][1:4]] == [
        "NotFrozen",
        "NoStep",
        "NoOrder",
    ]
    names = {plugin["name"] for plugin in listed["plugins"]}
    assert {"honest", "ddim", "chatter", "evil_raises"} <= names
    assert not names & {"not_a_solver", "not_frozen", "no_step", "no_order"}


def test_a_name_claimed_twice_is_an_error_where_it_is_used(evil: Any, tmp_path: Path) -> None:
    text = MATRIX.partition("  hangs:")[0].replace("- honest", "- twin")
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    done = evil.bench(tmp_path, "run", "b.yaml", "--dry-run")
    assert done.returncode == 2
    assert "'twin' is claimed by 'twin-one' and 'twin-two'; uninstall one" in done.stderr


def test_a_plugin_that_breaks_while_it_is_built(evil: Any, tmp_path: Path) -> None:
    text = MATRIX.partition("  hangs:")[0].replace("- honest", "- {name: evil_fussy, level: 5}")
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    done = evil.bench(tmp_path, "run", "b.yaml", "--dry-run")
    assert done.returncode == 2
    assert "solvers[15]: plugin 'evil_fussy' of 'evil' cannot be built: ZeroDiv" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_whose_fingerprint_breaks(evil: Any, tmp_path: Path) -> None:
    text = MATRIX.replace("evil_weights", "evil_fingerprint")
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    done = evil.bench(tmp_path, "run", "b.yaml", "--dry-run")
    assert done.returncode == 2
    assert "models[0]: plugin 'evil_fingerprint' of 'evil' cannot be built: Zero" in done.stderr
