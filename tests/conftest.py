"""What all tests run under, and small matrices planned and run here or by the command line."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from bench.config.load import load_config
from bench.registry import load_registry
from bench.results.parquet_file import pack
from bench.results.schema import ARROW, COLUMNS
from bench.results.store import Row, Store
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.plan import make_plan


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """As a worker on a CPU has it. Tensors are small: a second thread costs more than it gives."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def many_rows() -> Callable[[Path, int], Path]:
    """Writes a run of many cells of four rows each."""
    return _many_rows


METRICS = {"fid": "1", "kid": "1", "rmse": "data units", "rmse_reference": "data units"}
BUDGETS = (5, 6, 8, 10, 12, 15, 20, 30, 40, 50)
SEEDS, SAMPLERS = 5, 50


def _many_rows(root: Path, cells: int) -> Path:
    """Write `cells` cells of four rows each: 50 samplers, ten budgets, five seeds a model."""
    (root / "cells").mkdir(parents=True)
    models = -(-cells // (SAMPLERS * len(BUDGETS) * SEEDS))
    places = product(range(models), range(SAMPLERS), BUDGETS, range(SEEDS))
    random, keys = np.random.default_rng(0), []
    for (model, sampler, budget, seed), _ in zip(places, range(cells), strict=False):
        rows = list(_rows(model, sampler, budget, seed, random))
        table = pa.Table.from_pylist(rows, schema=ARROW)
        key = rows[0]["key"]
        (root / "cells" / f"{key}.parquet").write_bytes(pack(table, f"cells/{key}"))
        keys.append(key)
    Store(root).write_plan("many", keys)
    return root


def _rows(
    model: int, sampler: int, budget: int, seed: int, random: np.random.Generator
) -> Iterator[Row]:
    kind = "adaptive" if sampler % 10 == 9 else "predictor" if sampler % 10 > 6 else "ode_solver"
    nfe = budget * 1.3 if kind == "adaptive" else float(budget)
    known = {
        "key": hashlib.sha256(repr((model, sampler, budget, seed)).encode()).hexdigest(),
        "run": "many",
        "suite": f"suite{model // 2}",
        "model": f"model_{model}",
        "process": ("vp", "ve", "subvp")[model % 3],
        "grid": "" if kind == "adaptive" else "karras",
        "solver": f"solver_{sampler}",
        "solver_kind": kind,
        "corrector": "",
        "sampler": f"solver_{sampler}(p={sampler % 4})",
        "budget": None if kind == "adaptive" else budget,
        "tolerance": 1 / budget if kind == "adaptive" else None,
        "seed": seed,
        "nfe": nfe,
        "nfe_finish": 1.0,
        "sample_wall_s": nfe * 0.8 * random.uniform(0.9, 1.1),
        "samples": 1000,
        "metric_n": 1000,
        "dtype": "float32",
        "s_min": 0.002,
        "s_max": 80.0,
        "device": "Fake CPU",
        "status": "ok",
        "started": "2026-01-01T12:00:00Z",
    }
    error = (1 + sampler / 5) * nfe ** -float(1 + sampler % 3) * random.lognormal(0, 0.05)
    values = {"fid": 2 + 60 * error, "kid": 0.01 + error, "rmse": error, "rmse_reference": 1e-5}
    for metric, unit in METRICS.items():
        ranked = None if metric == "rmse_reference" else False
        role = {"rmse": "error", "rmse_reference": "reference"}.get(metric, "quality")
        number = {"metric": metric, "unit": unit, "value": values[metric], "role": role}
        number["belongs_to"] = "rmse" if role == "reference" else ""
        empty: Row = {column.name: None for column in COLUMNS}
        yield empty | known | number | {"larger_is_better": ranked}


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
