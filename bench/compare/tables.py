"""The tables of a comparison: points that changed, and curves as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.compare import formatting
from bench.compare.summary import ORDER
from bench.compare.verdict import Verdict
from bench.render.table import (
    Mark,
    Table,
    TableCell,
    Wrap,
    number_columns,
    table_rows,
    text_columns,
)

MOST = 60
"""Points that are listed; the JSON has all."""

_MARKS = {
    Verdict.WORSE.value: Mark.BAD,
    Verdict.BETTER.value: Mark.GOOD,
    Verdict.CHANGED.value: Mark.CHANGED,
    Verdict.INCONCLUSIVE.value: Mark.UNSURE,
    Verdict.SAME.value: Mark.FAINT,
}
_POINTS = (
    *text_columns("verdict", "subject", "curve", "metric"),
    *number_columns("NFE", "BASE", "HEAD", "change", "p", wrap=Wrap.NEVER),
    *text_columns("rests on"),
)


def changed_points(points: pd.DataFrame) -> pd.DataFrame:
    """The points that did not stay the same, regressions first."""
    rank = {verdict.value: i for i, verdict in enumerate(ORDER)}
    changed = points[points["verdict"].ne(Verdict.SAME)]
    order = changed.assign(rank=changed["verdict"].map(rank), free=~changed["gated"])
    return order.sort_values(["rank", "free"], kind="stable")


def points_table(points: pd.DataFrame, most: int = MOST) -> Table:
    """The first of ``points``."""
    rows = (
        (
            TableCell(
                str(row["verdict"]),
                "" if row["gated"] else "not gated",
                _MARKS[str(row["verdict"])],
            ),
            formatting.subject(row),
            formatting.curve(row),
            formatting.metric(row),
            formatting.where(row),
            formatting.value(row, "base"),
            formatting.value(row, "head"),
            formatting.change(row),
            formatting.p(row),
            formatting.basis(row),
        )
        for row in formatting.records(points.head(most))
    )
    return Table("", _POINTS, table_rows(rows))


def curves_table(curves: pd.DataFrame, heads: Sequence[str]) -> Table | None:
    """The curves that did not stay the same; None without any.

    Args:
        curves: of a comparison.
        heads: of the columns of numbers: area, target, NFE of BASE and of HEAD.
    """
    changed = curves[curves["dominates"].ne("same")] if len(curves) else curves
    if changed.empty:
        return None
    texts = text_columns("curve as a whole", "metric", "dominates")
    rows = (
        (
            f"{formatting.subject(row)}, {formatting.curve(row)}",
            formatting.metric(row),
            str(row["dominates"]),
            formatting.area(row),
            formatting.value(row, "target"),
            formatting.reached(row, "base"),
            formatting.reached(row, "head"),
        )
        for row in formatting.records(changed.head(MOST))
    )
    return Table("", (*texts, *number_columns(*heads)), table_rows(rows))
