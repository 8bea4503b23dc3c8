"""Made-up results: rows with their protocol, and numbers per sample, in memory or on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from bench.compare.compare import compare
from bench.compare.inputs import ResultSet, RunFolder
from bench.compare.question import CompareOptions
from bench.compare.result import Comparison
from bench.results.evidence import Values, found_in
from bench.results.schema import COLUMNS
from bench.results.store import Row, Store

BASE: Row = {
    "run": "made",
    "suite": "toys",
    "model": "mlp",
    "model_params": "{}",
    "process": "vp",
    "process_params": "{}",
    "grid": "karras",
    "grid_params": "{}",
    "solver": "euler",
    "solver_params": "{}",
    "solver_kind": "ode_solver",
    "corrector": "",
    "corrector_params": "",
    "sampler": "euler",
    "budget": 10,
    "seed": 0,
    "metric": "fd",
    "metric_params": "{}",
    "unit": "1",
    "larger_is_better": False,
    "metric_n": 100,
    "status": "ok",
    "reason": "",
    "nfe": 10.0,
    "nfe_finish": 1.0,
    "s_per_evaluation": 1e-3,
    "samples": 100,
    "batch": 64,
    "shard": 64,
    "dtype": "float32",
    "s_min": 0.002,
    "s_max": 80.0,
    "finish": "denoise",
    "batch_coupled": False,
    "weights": "w" * 64,
    "reference_hash": "r" * 64,
    "device": "cpu",
    "device_kind": "cpu",
    "threads": 1,
    "workers": 2,
    "torch": "2.9.0",
}


def key_of(**changes: Any) -> str:
    """A key like a cell's."""
    names = ("suite", "model", "sampler", "grid", "budget", "seed", "weights")
    full = {**BASE, **changes}
    return hashlib.sha256(repr([full[name] for name in names]).encode()).hexdigest()


def number(value: float | None, **changes: Any) -> Row:
    """One row; `budget` is its NFE, and `solver` its sampler unless that is told."""
    row = {**BASE, **changes, "value": value}
    row["sampler"] = changes.get("sampler", row["solver"])
    row["metric_plugin"] = changes.get("metric_plugin", row["metric"])
    if row["budget"] is not None:
        row["nfe"] = changes.get("nfe", float(row["budget"]))
    row["key"] = key_of(**{name: row[name] for name in BASE})
    return {column.name: row.get(column.name) for column in COLUMNS}


@dataclass(frozen=True)
class MemoryRun(RunFolder):
    """A run that never was on a disk."""

    root: Path = Path("memory")
    kept: dict[str, dict[str, Values]] = field(default_factory=dict)

    def keys(self) -> frozenset[str]:
        return frozenset(self.kept)

    def evidence(self, key: str, metric: str, params: str) -> Values | None:
        return found_in(self.kept.get(key, {}), metric, params)


def side(
    name: str, rows: Sequence[Row], evidence: Mapping[int, np.ndarray[Any, Any]] | None = None
) -> ResultSet:
    """BASE or HEAD in memory; `evidence` belongs to the rows of these places."""
    run = MemoryRun()
    for place, values in (evidence or {}).items():
        row = rows[place]
        run.kept.setdefault(row["key"], {})[row["metric"]] = values.astype(np.float32)
    return ResultSet(name, pd.DataFrame(list(rows)).assign(place=0), [run])


def sampled(values: np.ndarray[Any, Any], **changes: Any) -> Row:
    """A row whose number is the mean of numbers per sample."""
    wide = values.astype(np.float32).astype(float)
    error = float(wide.std(ddof=1)) / len(wide) ** 0.5
    return number(float(wide.mean()), metric_n=len(wide), std_error=error, **changes)


@dataclass(frozen=True)
class Made:
    """Makes rows, sides and comparisons."""

    number: ClassVar[Callable[..., Row]] = staticmethod(number)
    sampled: ClassVar[Callable[..., Row]] = staticmethod(sampled)
    side: ClassVar[Callable[..., ResultSet]] = staticmethod(side)

    def compared(
        self, base: Sequence[Row], head: Sequence[Row], question: CompareOptions | None = None
    ) -> Comparison:
        """Compare two lists of rows without evidence."""
        return compare(
            self.side("base", base), self.side("head", head), question or CompareOptions()
        )

    def samples_compared(
        self,
        base: Mapping[int, np.ndarray[Any, Any]],
        head: Mapping[int, np.ndarray[Any, Any]],
        question: CompareOptions | None = None,
        seeds: tuple[int, int] = (0, 0),
    ) -> Comparison:
        """Compare numbers per sample by budget, of one seed each."""
        sides = []
        for name, values, seed in zip(("base", "head"), (base, head), seeds, strict=True):
            rows = [self.sampled(v, budget=budget, seed=seed) for budget, v in values.items()]
            sides.append(self.side(name, rows, dict(enumerate(values.values()))))
        return compare(*sides, question or CompareOptions())

    def written(self, root: Path, rows: Sequence[Row], evidence: bool = False) -> Path:
        """A folder as `bench run` writes it; the numbers per sample scatter around the values."""
        store = Store(root)
        by_key: dict[str, list[Row]] = {}
        for row in rows:
            by_key.setdefault(row["key"], []).append(row)
        for key, own in by_key.items():
            spread = np.linspace(-1, 1, 100, dtype=np.float32)
            kept = {r["metric"]: spread + np.float32(r["value"]) for r in own if r["value"]}
            store.write(key, own, None, kept if evidence else None)
        store.write_plan(root.name, list(by_key))
        return root


@pytest.fixture(scope="session")
def made() -> Made:
    """Makes rows, sides and comparisons."""
    return Made()
