"""Rows of claims as the runner writes them, with numbers that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from bench.config.load import load_config
from bench.registry import load_registry
from bench.run.cell import Cell
from bench.run.columns import planned_columns
from bench.run.machine import Machine
from bench.run.plan import make_plan
from bench_claims.claim import Claim
from bench_claims.claims import CLAIMS
from bench_claims.networks import folder_of
from bench_claims.rows import Rows
from bench_claims.suite import benchmark_file

Numbers = Callable[[Cell], Mapping[str, float]]
Planned = Callable[[str, Numbers], Rows]


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Cell, ...]]:
    """The cells of each claim's own benchmark file; networks are files of a few bytes."""
    folder = tmp_path_factory.mktemp("claims")
    return {claim.name: _plan(claim, folder / claim.name) for claim in CLAIMS}


def _plan(claim: Claim, folder: Path) -> tuple[Cell, ...]:
    for network in claim.networks:
        weights = folder / folder_of(network) / "weights.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_text(network.name)
    folder.mkdir(exist_ok=True)
    file = folder / "claims.yaml"
    file.write_text(benchmark_file([claim], "claims", 0, folder))
    return make_plan(load_config(file), load_registry(), "cpu")


@pytest.fixture(scope="session")
def planned(cells: Mapping[str, tuple[Cell, ...]]) -> Planned:
    """Rows of a claim's cells with the numbers of a function of the cell, by metric."""

    def rows(name: str, numbers: Numbers) -> Rows:
        machine = Machine("cpu", 1, 1)
        found = [
            planned_columns(cell, machine, "")
            | {"metric": metric, "value": value, "status": "ok", "larger_is_better": False}
            | {"nfe": _nfe(cell), "steps": _steps(cell)}
            for cell in cells[name]
            for metric, value in numbers(cell).items()
        ]
        return Rows.of(pd.DataFrame(found))

    return rows


def _nfe(cell: Cell) -> float:
    """The budget, and of an adaptive solver what one of order 5 would take."""
    if cell.budget is not None:
        return float(cell.budget)
    assert cell.tolerance is not None
    return 20 * cell.tolerance**-0.2


def _steps(cell: Cell) -> int | None:
    if cell.budget is None:
        return None
    return max(1, cell.budget // {"heun": 2, "rk4": 4, "edm_heun": 2}.get(cell.solver.name, 1))
