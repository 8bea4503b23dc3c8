"""Reads all that a report rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.report.data.comparison import BaseRun, read_base
from bench.results import damage
from bench.results.store import Store


@dataclass(frozen=True)
class ReportSource:
    """A run as it was read.

    Attributes:
        folder: of the results.
        rows: as they were stored.
        references: papers of the plugins, by kind and name.
        bibtex: entries of the plugins that carry their own, by kind and name.
        base: the run to compare with; None without.
        damaged: pictures and papers that the page goes without.
    """

    folder: Path
    rows: pd.DataFrame
    references: Mapping[str, str]
    bibtex: Mapping[str, str]
    base: BaseRun | None
    damaged: tuple[str, ...]


def read(results: Path, base: str | None) -> ReportSource:
    """Read a run and the one to compare with.

    Raises:
        BenchError: there are no results, or they are damaged.
    """
    store = Store(results)
    store.consolidate()
    rows = store.load()
    other = None if base is None else read_base(base, results)
    keys = rows["key"].dropna().unique()
    pictures = (*damage.samples(store, keys), *damage.answers(store, keys), *damage.paths(store))
    found = (*damage.singles(store), *pictures)
    return ReportSource(
        folder=results,
        rows=rows,
        references=store.references(),
        bibtex=store.bibtex(),
        base=other,
        damaged=tuple(damage.lines(found)),
    )
