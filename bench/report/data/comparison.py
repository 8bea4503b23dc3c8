"""The run to compare with, and the verdicts of `bench compare` on both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import BenchError

MAX_VERDICTS = 300
"""Lines of the table on the page."""


@dataclass(frozen=True)
class ComparedPoint:
    """One compared point, as texts."""

    verdict: str
    subject: str
    curve: str
    metric: str
    where: str
    base: str
    head: str
    change: str
    p: str


@dataclass(frozen=True)
class BaseRun:
    """The run to compare with.

    Attributes:
        name: as the user named it.
        rows: of its table.
        headline: the verdict on the whole; or why there is none.
        judged: the points that did not stay the same, regressions first.
        hidden: how many of them the page has no room for.
        refused: points that must not be compared, and why; points that are missing.
    """

    name: str
    rows: pd.DataFrame
    headline: str
    judged: tuple[ComparedPoint, ...] = ()
    hidden: int = 0
    refused: tuple[str, ...] = ()


def read_base(name: str, results: Path) -> BaseRun:
    """Read the run called `name`, a folder or a git revision, and compare the results with it.

    Raises:
        BenchError: there is no such run, or it is damaged.
    """
    from bench.compare import formatting, summary
    from bench.compare.compare import compare
    from bench.compare.inputs import open_results
    from bench.compare.question import CompareOptions
    from bench.compare.tables import changed_points

    with open_results(name) as base, open_results(str(results)) as head:
        rows = base.frame.drop(columns="place")
        try:
            found = compare(base, head, CompareOptions())
        except BenchError as error:
            return BaseRun(name, rows, str(error))
        listing = changed_points(found.points) if len(found.points) else found.points
        return BaseRun(
            name,
            rows,
            summary.headline(found),
            tuple(_describe(row) for row in formatting.records(listing.head(MAX_VERDICTS))),
            max(0, len(listing) - MAX_VERDICTS),
            (
                *(formatting.refusal(item) for item in found.refused),
                *(formatting.missing(item) for item in found.missing),
            ),
        )


def _describe(row: dict[str, Any]) -> ComparedPoint:
    from bench.compare import formatting

    return ComparedPoint(
        verdict=str(row["verdict"]),
        subject=formatting.subject(row),
        curve=formatting.curve(row),
        metric=formatting.metric(row),
        where=formatting.where(row),
        base=formatting.value(row, "base"),
        head=formatting.value(row, "head"),
        change=formatting.change(row),
        p=formatting.p(row),
    )
