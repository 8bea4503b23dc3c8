"""Small matrices, planned and run in this process or through the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.config.load import load_config
from bench.registry import load_registry
from bench.results.store import Row
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.plan import make_plan

GOOD = """\
suites:
  a:
    models: [gaussian_mixture]
    solvers: [ddim]
    nfe: [5]
    samples: 64
    metrics: [rmse]
"""

Planner = Callable[[str], tuple[Cell, ...]]
Runner = Callable[[Cell], list[Row]]


@dataclass(frozen=True)
class Bench:
    """The command line, in a process of its own."""

    folder: Path

    @property
    def command(self) -> str:
        """The program of this environment."""
        return str(Path(sys.executable).with_name("bench"))

    @property
    def environment(self) -> Mapping[str, str]:
        """Wide enough that no line is wrapped."""
        return {**os.environ, "COLUMNS": "300", "NO_COLOR": "1"}

    def __call__(
        self, *arguments: str | Path, one_core: bool = False
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.command, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            preexec_fn=_pin if one_core else None,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start without waiting, at the head of a process group of its own."""
        return subprocess.Popen(
            [self.command, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _pin() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.fixture
def good() -> str:
    """A file without faults: one cell."""
    return GOOD


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The command line in an empty folder."""
    return Bench(tmp_path)


@pytest.fixture
def cells_of(tmp_path: Path) -> Planner:
    """Plans the text of a YAML file called benchmarks.yaml."""

    def plan(text: str) -> tuple[Cell, ...]:
        file = tmp_path / "benchmarks.yaml"
        file.write_text(text, encoding="utf-8")
        return make_plan(load_config(file), load_registry(), "cpu")

    return plan


@pytest.fixture
def rows_of() -> Runner:
    """Runs a cell in this process."""

    def run(cell: Cell) -> list[Row]:
        return list(run_cell(cell, Machine("cpu", 1, 1)).rows)

    return run


@pytest.fixture
def numbers() -> Callable[[Sequence[Row]], dict[str, float | None]]:
    """The value of each metric, by its name."""
    return lambda rows: {row["metric"]: row["value"] for row in rows}


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cells run in this process instead of in workers; the list names those that did."""
    ran: list[str] = []

    def run_cells(cells: Any, machine: Any, log: Path, on_start: Callable[[Cell], None]) -> Any:
        for cell in cells:
            on_start(cell)
            ran.append(cell.sampler)
            yield cell, run_cell(cell, Machine("cpu", 1, 1))

    monkeypatch.setattr("bench.run.runner.run_cells", run_cells)
    return ran


@pytest.fixture
def told(
    in_process: list[str],
    good: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, list[str], str, str]]:
    """`bench run` of three cells; gives the exit code, what ran, and what was printed where."""
    from bench.cli import main as cli

    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_text(good.replace("[ddim]", "[ddim, heun, ancestral]"), encoding="utf-8")

    def call(*more: str) -> tuple[int, list[str], str, str]:
        in_process.clear()
        monkeypatch.setattr("sys.argv", ["bench", "run", "b.yaml", "--no-report", *more])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, list(in_process), *capsys.readouterr()

    return call


@pytest.fixture
def run(
    told: Callable[..., tuple[int, list[str], str, str]],
) -> Callable[..., tuple[int, list[str], str]]:
    """The same without standard output."""

    def call(*more: str) -> tuple[int, list[str], str]:
        code, ran, _, err = told(*more)
        return code, ran, err

    return call
