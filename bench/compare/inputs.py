"""BASE and HEAD: where results are read from, and the evidence that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bench.compare.revision import checked_out
from bench.core.errors import BenchError
from bench.results import bundle
from bench.results.evidence import Values, fits, found_in, read
from bench.results.store import Store

SAMPLES = ["place", "key", "metric", "evidence_params", "value"]
"""Columns that say where the numbers per sample of a row are."""


@dataclass(frozen=True)
class RunFolder:
    """One run: a folder of `bench run`, or a bundle."""

    root: Path
    cache: dict[str, Mapping[str, Values]] = field(default_factory=dict)

    def rows(self) -> pd.DataFrame:
        """All rows."""
        if bundle.is_bundle(self.root):
            return bundle.rows(self.root)
        return Store(self.root).load()

    def keys(self) -> frozenset[str]:
        """The cells that have evidence."""
        if bundle.is_bundle(self.root):
            self.cache.update(bundle.evidence(self.root))
            return frozenset(self.cache)
        folder = Store(self.root).evidence_path("").parent
        return frozenset(path.stem for path in folder.glob("*.safetensors"))

    def evidence(self, key: str, metric: str, params: str) -> Values | None:
        """The numbers per sample behind one number; None where there are none."""
        if key not in self.cache:
            self.cache[key] = read(Store(self.root).evidence_path(key), f"evidence/{key}")
        return found_in(self.cache[key], metric, params)


@dataclass(frozen=True)
class ResultSet:
    """The results of BASE or of HEAD.

    Attributes:
        name: as the user named it.
        frame: the rows of all runs; `place` is the index of their run in `runs`.
        runs: where they came from.
    """

    name: str
    frame: pd.DataFrame
    runs: Sequence[RunFolder]

    def samples(self, run: int, key: str, metric: str, params: str, value: float) -> Values | None:
        """The numbers per sample whose mean is ``value``; None where there are none.

        The arguments are the columns ``SAMPLES`` of a row.
        """
        values = self.runs[run].evidence(key, metric, params)
        return values if values is not None and fits(values, value) else None


@contextmanager
def open_results(name: str) -> Iterator[ResultSet]:
    """The results called ``name``: a folder of a run, a folder of runs, or a git revision.

    Raises:
        BenchError: there is no such thing, it holds no results, or they are damaged.
    """
    path = Path(name)
    if path.exists():
        yield _side(name, path)
        return
    with checked_out(name) as folder:
        yield _side(name, folder)


def _side(name: str, path: Path) -> ResultSet:
    runs = [RunFolder(root) for root in _roots(name, path)]
    frames = [run.rows().assign(place=place) for place, run in enumerate(runs)]
    return ResultSet(name, pd.concat(frames, ignore_index=True), runs)


def _roots(name: str, path: Path) -> list[Path]:
    if not path.is_dir():
        raise BenchError(f"{name}: is no folder; name the folder of a run, such as results/quick")
    if _is_run(path):
        return [path]
    roots = sorted(child for child in path.iterdir() if child.is_dir() and _is_run(child))
    if not roots:
        raise BenchError(f"{name}: holds no results; name the folder of a run, or of several")
    return roots


def _is_run(path: Path) -> bool:
    return (path / "cells").is_dir() or bundle.is_bundle(path)
