"""A made-up run: three models, ten samplers, four budgets, two seeds, and all that goes wrong."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bench.report import Report, write_report
from bench.results.schema import COLUMNS
from bench.results.store import Row, Store

BUDGETS = (5, 10, 20, 40)
SEEDS = (0, 1)
COUNTS = tuple(column.name for column in COLUMNS if column.type == pa.int64())


@dataclass(frozen=True)
class FakeModel:
    """A model of the made-up run."""

    name: str
    process: str
    metrics: tuple[str, ...]
    points: bool


@dataclass(frozen=True)
class FakeSampler:
    """A sampler with the order that its errors follow."""

    name: str
    kind: str
    order: float
    scale: float
    corrector: str = ""


MODELS = (
    FakeModel("mnist_unet", "vp", ("fd_mnist", "nll_bpd", "rmse", "rmse_reference"), False),
    FakeModel("digits_mlp", "edm", ("fd_digits", "nll_bpd", "rmse", "rmse_reference"), False),
    FakeModel(
        "gaussian_mixture",
        "ve",
        (
            "swd",
            "energy_distance",
            "nll_nats",
            "nll_exact_nats",
            "nll_error_nats",
            "rmse",
            "rmse_reference",
        ),
        True,
    ),
)

SAMPLERS = (
    FakeSampler("ddim", "ode_solver", 1, 1.0),
    FakeSampler("heun", "ode_solver", 2, 6.0),
    FakeSampler("dpmpp_2m", "ode_solver", 2, 2.0),
    FakeSampler("dpmpp_3m(lower_order_final=False)", "ode_solver", 3, 5.0),
    FakeSampler("deis(order=3)", "ode_solver", 3, 8.0),
    FakeSampler("rk4", "ode_solver", 4, 60.0),
    FakeSampler("euler_maruyama", "predictor", 0.5, 3.0),
    FakeSampler("ancestral", "predictor", 0.5, 2.0),
    FakeSampler("reverse_diffusion + langevin(snr=0.16)", "predictor", 0.5, 4.0, "langevin"),
    FakeSampler("rk45", "adaptive", 5, 200.0),
)

UNITS = {"nll_bpd": "bits/dim", "rmse": "data units", "rmse_reference": "data units"}
ROLES = {
    "rmse": ("error", ""),
    "rmse_reference": ("reference", "rmse"),
    "nll_exact_nats": ("exact", "nll_nats"),
    "nll_error_nats": ("error", "nll_nats"),
}
"""Roles of the numbers, and what they belong to; all others are qualities."""
REASON = "out of memory: tried to allocate 2.0 GiB; lower `batch`"


def fake_key(*parts: object) -> str:
    """A key like a cell's."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def complete(row: Row) -> Row:
    """The row with all columns of the schema."""
    return {column.name: row.get(column.name) for column in COLUMNS}


def fake_run(root: Path, budgets: tuple[int, ...] = BUDGETS) -> Store:
    """Write the made-up run."""
    store, keys, random = Store(root), [], np.random.default_rng(0)
    for model in MODELS:
        for sampler in SAMPLERS:
            for budget in budgets:
                for seed in SEEDS:
                    key = fake_key(model.name, sampler.name, budget, seed)
                    rows = [
                        complete(row) for row in _rows(key, model, sampler, budget, seed, random)
                    ]
                    shown = any(row["value"] is not None for row in rows)
                    store.write(key, rows, _samples(model, sampler, budget) if shown else None)
                    keys.append(key)
    store.write_plan("fake", keys)
    return store


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the made-up run."""
    return fake_run(tmp_path_factory.mktemp("results") / "fake").root


@pytest.fixture(scope="session")
def results(run: Path) -> pd.DataFrame:
    """The results of the made-up run."""
    return Store(run).load()


@pytest.fixture(scope="session")
def report(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of the made-up run."""
    return write_report(run, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def report_in() -> Callable[[Path, pd.DataFrame], Report]:
    """Writes a report on any results into a folder."""
    return _report_in


@pytest.fixture
def report_on(tmp_path: Path) -> Callable[[pd.DataFrame], Report]:
    """Writes a report on any results."""
    return partial(_report_in, tmp_path)


def _report_in(folder: Path, results: pd.DataFrame) -> Report:
    rows = results.astype(object).where(results.notna(), None).to_dict("records")
    store = Store(folder / "run")
    store.write("all", [_counted(row) for row in rows], None)
    return write_report(store.root, folder / "report")


def _counted(row: dict[Any, Any]) -> Row:
    """The row with whole numbers where pandas has made them floats for the sake of a null."""
    return row | {name: int(row[name]) for name in COUNTS if row[name] is not None}


def _rows(
    key: str,
    model: FakeModel,
    sampler: FakeSampler,
    budget: int,
    seed: int,
    random: np.random.Generator,
) -> Iterator[Row]:
    adaptive = sampler.kind == "adaptive"
    nfe = float(round(budget * 1.37 + 7)) if adaptive else float(budget)
    base = _base(key, model, sampler, seed) | {
        "budget": None if adaptive else budget,
        "tolerance": 10.0 ** -math.log2(budget / 2.5) if adaptive else None,
        "steps": None if adaptive else budget - 1,
        "nfe": nfe,
        "nfe_declared": None if adaptive else nfe,
        "nfe_finish": 1.0,
        "over_budget": False,
        "sample_wall_s": 0.8 * nfe * random.uniform(0.95, 1.05) + 0.3,
        "peak_memory_mib": 812.5,
    }
    for metric in model.metrics:
        yield base | _number(metric, model, sampler, nfe, seed, random)


def _base(key: str, model: FakeModel, sampler: FakeSampler, seed: int) -> Row:
    sources = {sampler.name: "scorebench 0.1.0 1f2e3d", model.name: "scorebench 0.1.0 99aabb"}
    return {
        "key": key,
        "run": "fake",
        "suite": "toys" if model.points else "images",
        "model": model.name,
        "model_params": '{"modes":8}' if model.points else "{}",
        "process": model.process,
        "process_params": "{}",
        "grid": "" if sampler.kind == "adaptive" else "karras",
        "grid_params": "{}",
        "solver": sampler.name.split(" ")[0].split("(")[0],
        "solver_params": "{}",
        "solver_kind": sampler.kind,
        "corrector": sampler.corrector,
        "corrector_params": "{}",
        "sampler": sampler.name,
        "seed": seed,
        "samples": 500,
        "batch": 64,
        "shard": 64,
        "dtype": "float64" if model.points else "float32",
        "s_min": 0.002 * (1 + 1e-12 * seed),
        "s_max": 80.0,
        "finish": "denoise",
        "batch_coupled": False,
        "weights": fake_key(model.name),
        "solver_source": f"scorebench 0.1.0 {fake_key(sampler.name)[:12]}",
        "plugin_sources": json.dumps(sources),
        "core": "0.1.0 0123456789ab",
        "device": "Fake CPU @ 2.00GHz",
        "device_kind": "cpu",
        "threads": 1,
        "workers": 2,
        "torch": "2.9.0",
        "python": "3.11.2",
        "platform": "Linux x86_64",
        "started": f"2026-01-0{1 + seed}T12:00:00Z",
    }


def _number(
    metric: str,
    model: FakeModel,
    sampler: FakeSampler,
    nfe: float,
    seed: int,
    random: np.random.Generator,
) -> Row:
    named = {
        "metric": metric,
        "unit": UNITS.get(metric, "nats/dim" if metric.startswith("nll") else "1"),
        "role": ROLES.get(metric, ("quality", ""))[0],
        "belongs_to": ROLES.get(metric, ("quality", ""))[1],
        "larger_is_better": False,
        "metric_n": 64 if metric.startswith(("nll", "rmse")) else 500,
        "reference_hash": fake_key(metric, seed if metric.endswith("nats") else None)[:16],
        "status": "ok",
        "reason": "",
    }
    failed = _failure(metric, model, sampler, nfe, seed)
    if failed:  # what failed cannot say what its number would have meant
        return named | failed | {"role": "", "belongs_to": "", "larger_is_better": None}
    error = sampler.scale * (nfe - 1) ** -float(sampler.order) * random.lognormal(0, 0.03)
    floor = 2e-7 if model.points else 3e-5
    exact = 1.2345 + 0.01 * seed
    nll = exact + error * 0.3
    noise = 0.01 * random.standard_normal()
    value, std_error = {
        "rmse": (math.hypot(error, floor), None),
        "rmse_reference": (floor, None),
        "nll_bpd": (2.9 + error + noise, 0.02),
        "nll_nats": (nll, 0.02),
        "nll_exact_nats": (exact, 0.02),
        "nll_error_nats": (nll - exact, 0.001),
        "swd": (0.05 + error + abs(noise), None),
    }.get(metric, (2.0 + 60 * error * (1 + noise) + 4 * abs(noise), None))
    return named | {"value": value, "std_error": std_error}


def _failure(
    metric: str, model: FakeModel, sampler: FakeSampler, nfe: float, seed: int
) -> Row | None:
    likelihood = metric.startswith(("nll", "rmse"))
    if likelihood and sampler.kind == "predictor":
        reason = f"{metric} integrates the ODE; a stochastic sampler has no likelihood"
        return {"status": "unsupported", "reason": reason}
    if sampler.name == "rk4" and nfe == 5 and model.name == "mnist_unet":
        reason = "37 of 64 samples from number 0 on are not finite"
        return {"status": "diverged", "reason": reason}
    if sampler.name == "heun" and nfe == 40 and seed == 1 and model.name == "digits_mlp":
        return {"status": "failed", "reason": REASON}
    if sampler.name == "rk45" and nfe == 62 and model.name == "digits_mlp":
        return {"status": "timeout", "reason": "no result after 3600 s"}
    return None


def _samples(model: FakeModel, sampler: FakeSampler, budget: int) -> np.ndarray:
    random = np.random.default_rng(7)
    blur = sampler.scale * budget ** -float(sampler.order)
    if model.points:
        modes = random.integers(0, 8, 256) * math.pi / 4
        centre = np.stack([np.cos(modes), np.sin(modes)], 1) * 4
        return (centre + random.standard_normal((256, 2)) * (0.15 + blur)).astype(np.float32)
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    images = []
    for radius in random.uniform(0.3, 0.7, 16):
        ring = np.exp(-(((np.hypot(x, y) - radius) / 0.15) ** 2))
        images.append(ring + blur * random.standard_normal((28, 28)))
    return (np.clip(np.stack(images), 0, 1) * 255).astype(np.uint8)[:, None]
