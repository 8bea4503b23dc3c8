"""What all tests run under."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from bench.results.schema import ARROW, COLUMNS
from bench.results.store import Row, Store
from bench.results.table import packed


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
        (root / "cells" / f"{key}.parquet").write_bytes(packed(table, f"cells/{key}"))
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
