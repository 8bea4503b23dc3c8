"""A number never depends on who ran before it: plugins that change the state of their process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bench

CLEAN = """\
name: m
defaults: {samples: 64, nfe: [6]}
suites:
BEFORE\
  z_network:
    models: [digits_mlp]
    solvers: [ddim, heun, ancestral]
    metrics: [fd_digits, {name: rmse, reference_steps: 8}]
  z_mixture:
    models: [gaussian_mixture]
    solvers: [dpmpp_2m]
    metrics: [swd, nll_nats]
"""
SOLVERS = """\
  a_{name}:
    models: [digits_mlp]
    samples: 64
    solvers: [{name}]
    timeout: 60
    metrics: [{{name: rmse, reference_steps: 8}}]
"""
MODEL = """\
  a_model:
    models: [meddler_model]
    solvers: [ddim]
    metrics: [{name: rmse, reference_steps: 8}]
"""
METRIC = """\
  a_metric:
    models: [gaussian_mixture]
    solvers: [ddim]
    metrics: [meddler_metric, swd]
"""

# What each solver of `meddler_solvers` changes, and words of the note that says so.
SEEN = {
    "built": "torch.set_default_dtype: torch.float32 became torch.float64",
    "threads": "torch.set_num_threads: 1 became 3",
    "linear": "torch.nn.functional.linear was replaced",
    "add": "torch.Tensor.__add__ was replaced",
    "forward": "torch.nn.modules.linear.Linear.forward was replaced",
    "precision": "torch.set_float32_matmul_precision: highest became ",
    "mode": "torch function modes: 0 became ",
    "hook": "torch.nn.modules.module._global_forward_hooks",
    "host": "bench.core.sample.Sampler.steps_for was replaced",
    "denormals": "subnormal numbers: True became False",
    "toggling": "was left running",
    "lingering": "was left running",
    "interpreter": "sys.setrecursionlimit: 1000 became 150, gc.disable: True became False",
    "kernels": "torch.library's implementations of torch's operators changed",
    "modules": "module bench_plugins.metrics.rmse was replaced, random.Random.random was replaced",
    "autocast": "torch.autocast on cpu",
    "attention": "torch.backends.cuda.enable_math_sdp: True became False",
    "weights": "the cell wrote into ",
    "device": "torch.set_default_device: cpu became meta",
    "generator": "numpy.random.default_rng was replaced, numpy.random.Generator was replaced",
    "memory": "resource.RLIMIT_AS",
    "files": "resource.RLIMIT_FSIZE",
    "place": "os.environ: ",
    "output": "sys.stderr changed",
    "alarm": "",  # it may be over before a cell is, and take the process with it
    "strictness": "warnings that are errors",
}
FEW = ("threads", "linear", "weights", "memory", "built")


def _matrix(solvers: tuple[str, ...], others: str = "") -> str:
    before = "".join(SOLVERS.format(name=f"meddler_{name}") for name in solvers)
    return CLEAN.replace("BEFORE", others + before)


def _run(folder: Path, matrix: str, site: Any = None) -> pd.DataFrame:
    """The table of a run with one worker, which meets the cells in their order."""
    (folder / "m.yaml").write_text(matrix, encoding="utf-8")
    arguments = ("run", "m.yaml", "--no-report", "--workers", "1")
    if site is None:
        program = str(Path(sys.executable).with_name("bench"))
        done = subprocess.run(
            [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    else:
        done = site.bench(folder, *arguments)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return bench.load_results(folder / "results" / "m")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The clean cells where no other plugin is installed."""
    return _run(tmp_path_factory.mktemp("alone"), _matrix(()))


NUMBERS = ["key", "suite", "solver", "metric", "status", "value", "std_error", "nfe", "note"]


def _assert_equal_to_the_last_bit(table: pd.DataFrame, alone: pd.DataFrame) -> None:
    clean = table[table.suite.str.startswith("z_")]
    assert (clean.status == "ok").sum() >= 10
    pd.testing.assert_frame_equal(
        clean[NUMBERS].sort_values(["key", "metric"], ignore_index=True),
        alone[NUMBERS].sort_values(["key", "metric"], ignore_index=True),
        check_exact=True,
    )


def _untold(table: pd.DataFrame, names: tuple[str, ...]) -> list[tuple[str, Any]]:
    """The meddlers whose rows do not say what they did; one that failed has a reason instead."""
    found = []
    for name in names:
        for row in table[table.suite == f"a_meddler_{name}"].itertuples():
            told = SEEN[name] in row.note if row.status == "ok" else bool(row.reason)
            found += [] if told else [(name, row)]
    return found


def test_values_are_those_of_a_run_without_meddlers(
    meddler: Any, alone: pd.DataFrame, tmp_path: Path
) -> None:
    table = _run(tmp_path, _matrix(FEW), meddler)
    _assert_equal_to_the_last_bit(table, alone)
    assert not _untold(table, FEW)


@pytest.mark.slow
def test_values_after_every_way_of_meddling(
    meddler: Any, alone: pd.DataFrame, tmp_path: Path
) -> None:
    table = _run(tmp_path, _matrix(tuple(SEEN), MODEL + METRIC), meddler)
    _assert_equal_to_the_last_bit(table, alone)
    assert not _untold(table, tuple(SEEN))
    assert table[table.suite.str.startswith("a_meddler")].suite.nunique() == len(SEEN) >= 20
    model = table[table.suite == "a_model"]
    assert model.note.str.contains("torch.nn.functional.silu was replaced", regex=False).all()
    metric = table[table.suite == "a_metric"]
    assert metric.note.str.contains("torch.linalg.eigvalsh was replaced", regex=False).all()


def test_the_kit_fails_what_an_import_changes(meddler: Any, tmp_path: Path) -> None:
    done = meddler.bench(tmp_path, "plugins", "check", "unused_precision", "--json")
    assert done.returncode == 1, done.stderr
    findings = json.loads(done.stdout)["findings"]
    (failed,) = (
        item for item in findings if item["verdict"] == "failed" and item["check"] != "documented"
    )
    assert failed["check"] == "state"
    assert failed["seen"].startswith("at import: torch.set_num_threads: ")
    assert "torch.set_float32_matmul_precision: highest became medium" in failed["seen"]
    assert failed["remedy"]


def test_what_imports_change_is_undone_and_listed(meddler: Any, tmp_path: Path) -> None:
    done = meddler.bench(tmp_path, "plugins", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    found = {item["entry_point"]: item["changed"] for item in listed["meddling"]}
    assert "torch.set_default_dtype: torch.float32 became torch.float64" in (found["meddler_dtype"])
    assert (
        "torch.set_float32_matmul_precision: highest became medium" in (found["meddler_precision"])
    )
    for name in (
        "torch.nn.functional.linear",
        "torch.Tensor.__mul__",
        "bench.core.combine.combine",
    ):
        assert f"{name} was replaced" in found["meddler_names"]
    for name in ("resource.RLIMIT_FSIZE", "os.umask", "os.chdir", "os.environ: NVIDIA_TF32_OVER"):
        assert name in found["meddler_system"]
    assert set(found) == {"meddler_dtype", "meddler_precision", "meddler_names", "meddler_system"}
    assert not any(item["lasting"] for item in listed["meddling"])
    assert "changed the state of the process" in meddler.bench(tmp_path, "plugins").stdout
