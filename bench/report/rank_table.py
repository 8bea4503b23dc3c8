"""The ranks of a subject as a table: samplers by budgets, each with its interval."""

from __future__ import annotations

import pandas as pd

from bench.render.labels import letters, metric_label, tick
from bench.report.tables import Line, Table, Value
from bench.results.frame import Subject

REMARK = "Rank by the mean; below it the 95% interval (see How to read this)."


def rank_tables(ranking: pd.DataFrame, units: dict[str, str]) -> tuple[Table, ...]:
    """The tables of one subject.

    Args:
        ranking: of `ranks.ranking`.
        units: of the metrics.
    """
    found = []
    for metric, of_metric in ranking.groupby("metric", sort=False):
        parts = [part for _, part in of_metric.groupby("protocol")]
        for letter, part in zip(letters(len(parts)), parts, strict=True):
            label = metric_label(str(metric), units.get(str(metric), ""))
            title = f"Rank by {label}" + (f", protocol {letter}" if letter else "")
            found.append(_table(title, part))
    return tuple(found)


def tidy(ranking: pd.DataFrame, subject: Subject) -> pd.DataFrame:
    """The ranks of one subject for a CSV file."""
    known = ranking["low"] > 0
    return ranking.assign(
        subject=subject.title,
        low=ranking["low"].where(known),
        high=ranking["high"].where(known),
    )[["subject", "metric", "protocol", "budget", "curve", "rank", "low", "high", "samplers"]]


def _table(title: str, part: pd.DataFrame) -> Table:
    budgets = sorted(part["budget"].unique())
    values = {
        (str(row["curve"]), float(row["budget"])): Value(
            str(row["rank"]),
            f"{row['low']}–{row['high']}" if row["low"] > 0 else "",
            bool(row["rank"] == 1),
        )
        for row in part.to_dict("records")
    }
    # by the rank at the last budget that a sampler reaches
    last = part.sort_values("budget").groupby("curve")["rank"].last()
    order = sorted(last.index, key=lambda curve: (int(last[curve]), str(curve)))
    lines = tuple(
        Line(str(curve), tuple(values.get((str(curve), b), Value()) for b in budgets))
        for curve in order
    )
    return Table(title, tuple(f"NFE ≤ {tick(b)}" for b in budgets), lines, (REMARK,))
