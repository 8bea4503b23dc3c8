"""What `bench compare` says of the run and another, for the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.errors import BenchError

MAX_VERDICTS = 300
"""Lines of the table on the page."""


@dataclass(frozen=True)
class Judged:
    """One compared point."""

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
class Other:
    """The run to compare with.

    Attributes:
        name: as the user named it.
        frame: its rows.
        headline: the verdict on the whole; or why there is none.
        judged: the points that did not stay the same, regressions first.
        hidden: how many of them the page has no room for.
        refused: what must not be compared, and why; what is lacking.
    """

    name: str
    frame: pd.DataFrame
    headline: str
    judged: tuple[Judged, ...] = ()
    hidden: int = 0
    refused: tuple[str, ...] = ()


def other(name: str, results: Path) -> Other:
    """The run called `name`, a folder or a git revision, and what came of comparing it.

    Raises:
        BenchError: there is no such run, or it is damaged.
    """
    from bench.compare import formatting, summary
    from bench.compare.compare import compare
    from bench.compare.inputs import open_results
    from bench.compare.question import Question
    from bench.compare.tables import changed_points

    with open_results(name) as base, open_results(str(results)) as head:
        frame = base.frame.drop(columns="place")
        try:
            found = compare(base, head, Question())
        except BenchError as error:
            return Other(name, frame, str(error))
        told = changed_points(found.points) if len(found.points) else found.points
        return Other(
            name,
            frame,
            summary.headline(found),
            tuple(_judged(row) for row in formatting.records(told.head(MAX_VERDICTS))),
            max(0, len(told) - MAX_VERDICTS),
            (
                *(formatting.refusal(item) for item in found.refused),
                *(formatting.missing(item) for item in found.missing),
            ),
        )


def _judged(row: dict[str, Any]) -> Judged:
    from bench.compare import formatting

    return Judged(
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
