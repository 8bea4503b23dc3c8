"""Killed in the middle and run again: the same table, bit for bit, and nothing left behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from subprocess import Popen
from typing import Any

import pandas as pd
import pytest

import bench as package

MATRIX = """\
name: run
suites:
  digits:
    models: [digits_mlp]
    solvers: [ddim, heun, ancestral, {name: ancestral, corrector: langevin}]
    nfe: [5, 60]
    samples: 1024
    metrics: [fd_digits, rmse]
  points:
    models: [gaussian_mixture]
    solvers: [euler_maruyama, {name: dopri5, rtol: [1e-1, 1e-2]}]
    nfe: [10, 20]
    samples: 512
    metrics: [swd, energy_distance]
"""
CELLS = 12
CLOCKS = (
    "started",
    "workers",
    "threads",
    "sample_wall_s",
    "samples_per_s",
    "s_per_evaluation",
    "load_wall_s",
    "metric_wall_s",
    "peak_memory_mib",
)
"""Columns that say how fast the machine was, and how it was used."""


def _table(folder: Path) -> pd.DataFrame:
    return package.load_results(folder / "run").drop(columns=list(CLOCKS))


def _cells(folder: Path) -> list[Path]:
    return list((folder / "run" / "cells").glob("*.parquet"))


def _wait_for_cells(folder: Path, process: Popen[str], count: int = 1) -> None:
    deadline = time.monotonic() + 120
    while len(_cells(folder)) < count:
        assert process.poll() is None, "the run ended before it could be cut"
        assert time.monotonic() < deadline, "no cell within two minutes"
        time.sleep(0.02)


def _descendants(pid: int) -> list[int]:
    """All processes below ``pid``: workers are started by a server, not by the command itself."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [pid]
    for above in found:  # grows while it is gone through
        found += [child for child, parent in parents.items() if parent == above]
    return found[1:]


def _alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table of a run with two workers that nothing disturbs."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("whole")
    (folder / "b.yaml").write_text(MATRIX, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("bench")), "run", "b.yaml", "--no-report"]
    done = subprocess.run(
        [*command, "--workers", "2"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    table = _table(folder / "results")
    assert set(table.status) <= {"ok", "unsupported"}
    assert table["key"].nunique() == CELLS
    return table


def test_a_killed_run_goes_on_to_the_same_table(bench: Any, uninterrupted: pd.DataFrame) -> None:
    (bench.folder / "b.yaml").write_text(MATRIX, encoding="utf-8")
    results = bench.folder / "results"
    process = bench.start("run", "b.yaml", "--workers", "2", "--no-report")
    _wait_for_cells(results, process, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in _cells(results)}
    assert 2 <= len(before) < CELLS
    (results / "run" / "cells" / ".half.parquet.1.tmp").write_bytes(b"PAR1 half")
    cut, *kept = sorted(before)
    cut.write_bytes(cut.read_bytes()[:100])

    done = bench("run", "b.yaml", "--workers", "1", "--no-report", one_core=True)
    assert done.returncode == 0, done.stderr
    assert f"{CELLS - len(kept)} cells to run, {len(kept)} finished before" in done.stdout
    assert [path.stat().st_mtime_ns for path in kept] == [before[path] for path in kept]
    # One worker here, two there: equal to the last bit all the same.
    pd.testing.assert_frame_equal(_table(results), uninterrupted, check_exact=True)

    again = bench("run", "b.yaml", "--no-report")
    assert again.returncode == 0
    assert f"0 cells to run, {CELLS} finished before" in again.stdout
    pd.testing.assert_frame_equal(_table(results), uninterrupted, check_exact=True)


def test_workers_end_with_a_killed_parent(bench: Any) -> None:
    slow = MATRIX.replace("1024", "100000").replace("[5, 60]", "[1000]").replace("512", "64")
    (bench.folder / "b.yaml").write_text(slow, encoding="utf-8")
    process = bench.start("run", "b.yaml", "--workers", "1", "--no-report")
    _wait_until_busy(process)
    children = _descendants(process.pid)
    assert children
    process.kill()
    process.communicate()
    assert not _left(children)


def _left(children: list[int]) -> list[int]:
    """Those that are alive 20 seconds later; they are ended."""
    deadline = time.monotonic() + 20
    while any(map(_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in children if _alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def _wait_until_busy(process: Popen[str]) -> None:
    """Until a worker has computed for a while: its first cell takes minutes."""
    deadline = time.monotonic() + 120
    while not any(map(_busy, _descendants(process.pid))):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _busy(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return False
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") > 6


@pytest.mark.parametrize(
    ("stop", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_keeps_the_finished_cells_and_says_so(
    stop: signal.Signals, code: int, word: str, bench: Any
) -> None:
    long = MATRIX.replace("samples: 1024", "samples: 8192")  # not to be over before the signal
    (bench.folder / "b.yaml").write_text(long, encoding="utf-8")
    results = bench.folder / "results"
    # Jobs in the background ignore the signal, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = bench.start("run", "b.yaml", "--workers", "2", "--no-report")
    _wait_for_cells(results, process)
    children = _descendants(process.pid)
    # A terminal sends Ctrl-C to all of the group; a scheduler may end one process alone.
    (os.killpg if stop is signal.SIGINT else os.kill)(process.pid, stop)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err == f"bench: {word}; finished cells are kept, run again to go on\n"
    assert not _left(children)
    finished = len(_cells(results))
    assert 1 <= finished < CELLS
    plan = bench("run", "b.yaml", "--dry-run", "--json")
    assert f'"missing": {CELLS - finished}' in plan.stdout
