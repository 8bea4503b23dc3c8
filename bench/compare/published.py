"""A published table as BASE: the figures of a suite that HEAD measured under the same protocol."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.compare.inputs import ResultSet
from bench.compare.refusal import Refusal
from bench.core.errors import BenchError
from bench.published.figures import load_figures, of_suite
from bench.published.spread import SIGMAS
from bench.published.verdicts import FigureComparison, FigureVerdict, compare

PREFIX = "published:"
"""What the name of BASE begins with."""

_REMEDY = "run it as published; see `bench published`"


@dataclass(frozen=True)
class Published:
    """Both sides, point by point, and the figures that were measured in another way.

    Attributes:
        base: the figures; their standard errors are the spread of published runs, of HEAD's own,
            and what rounding takes.
        head: the numbers that are held against them (for a published minimum of several runs, what
            such a minimum is expected at).
        refused: figures that HEAD measured under another protocol.
    """

    base: ResultSet
    head: ResultSet
    refused: tuple[Refusal, ...]


def published(name: str, head: ResultSet) -> Published:
    """The figures of ``published:SUITE`` and HEAD's numbers for them.

    Raises:
        BenchError: no such suite, or HEAD has none of its numbers under the published protocol.
    """
    suite = name.removeprefix(PREFIX)
    found = compare(of_suite(load_figures(), suite), head.frame)
    measured = [c for c in found if c.verdict in (FigureVerdict.REPRODUCED, FigureVerdict.OFF)]
    refused = tuple(_refusal(suite, c) for c in found if c.verdict is FigureVerdict.DIFFERS)
    if not measured:
        why = f"; {refused[0].field} differs in {refused[0].metric}" if refused else ""
        raise BenchError(
            f"{name}: HEAD has no number under the protocol of a published figure{why}; see `bench "
            f"published {suite} --results RUN`"
        )
    rows = [_rows(c, head.frame) for c in measured]
    return Published(
        ResultSet(name, _frame([base for base, _ in rows]), head.runs),
        ResultSet(head.name, _frame([own for _, own in rows]), head.runs),
        refused,
    )


def _rows(found: FigureComparison, frame: pd.DataFrame) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figure and HEAD's number, as rows under HEAD's protocol."""
    figure, deviation = found.figure, found.deviation
    assert deviation is not None
    own = frame["key"].isin(found.keys) & frame["metric"].eq(figure.table.metric.name)
    row = {str(k): v for k, v in frame[own].iloc[0].to_dict().items()}
    row |= {"seed": 0, "sampler": f"{row['sampler']} ({figure.label})"}
    chance = (deviation.tolerance - figure.rounding) / SIGMAS
    error = math.hypot(chance, figure.rounding / math.sqrt(3))
    head = row | {"value": deviation.measured, "std_error": 0.0}
    # The key is that of no cell: the figure has no numbers per sample.
    base = row | {"value": figure.value, "std_error": error, "key": f"{PREFIX}{figure.id}"}
    return base, head


def _frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    # Two figures may stand for one point (two tables of one experiment): the first is taken.
    frame = pd.DataFrame(list(rows))
    place = ["suite", "model", "process", "grid", "solver_params", "sampler", "budget", "tolerance"]
    return frame.drop_duplicates([*place, "metric"]).reset_index(drop=True)


def _refusal(suite: str, found: FigureComparison) -> Refusal:
    first = found.differences[0]
    figure = found.figure
    metric = f"{figure.table.metric.name} of {figure.label}"
    return Refusal(
        suite, figure.model.name, metric, first.field, first.published, first.here, _REMEDY, 1
    )
