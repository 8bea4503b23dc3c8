"""Ranks of a subject's samplers at each budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from bench.render.labels import letters, metric_label, tick
from bench.render.table import Table, TableCell
from bench.report.data.values import best_mark, sampler_table
from bench.results.roles import exact_partners
from bench.stats.arrays import Floats, Ints
from bench.stats.ranks import ranks

_NEEDED = (
    "metric",
    "protocol",
    "budget",
    "tolerance",
    "curve",
    "seed",
    "nfe",
    "value",
    "std_error",
    "larger_is_better",
)


_COLUMNS = ("metric", "protocol", "budget", "curve", "rank", "low", "high", "samplers")

REMARK = "Rank by the mean; below it the 95% interval (see How to read this)."


def rank_samplers(frame: pd.DataFrame) -> pd.DataFrame:
    """Rank the samplers of one subject; a row for each metric, protocol, budget and curve.

    An adaptive solver stands at a budget with its run of the best mean within it. Metrics without
    a direction, and those that an exact value judges, have no ranks.

    Args:
        frame: the subject's rows.
    """
    judged = exact_partners(frame)
    usable = frame.loc[
        frame["usable"] & frame["ranked"] & ~frame["metric"].isin(judged), list(_NEEDED)
    ]
    parts = []
    for (metric, protocol), rows in usable.groupby(["metric", "protocol"], sort=False):
        fixed, adaptive = rows[rows["budget"].notna()], rows[rows["budget"].isna()]
        runs = _runs(adaptive)
        for budget, at in fixed.groupby("budget", sort=True):
            chosen = pd.concat([at, _within(adaptive, runs, float(str(budget)))])
            if chosen["curve"].nunique() > 1:
                table = _rank(chosen)
                parts.append(
                    table.assign(metric=str(metric), protocol=int(str(protocol)), budget=budget)
                )
    columns = list(_COLUMNS)
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def rank_frame(found: Iterable[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Make the table for a CSV file of titles of subjects with their ranks."""
    parts = []
    for subject, ranking in found:
        known = ranking["low"] > 0
        low, high = (ranking[end].where(known) for end in ("low", "high"))
        parts.append(ranking.assign(subject=subject, low=low, high=high))
    if parts:
        return pd.concat(parts)[["subject", *_COLUMNS]]
    return pd.DataFrame(columns=["subject", *(c for c in _COLUMNS if c != "protocol")])


def rank_tables(ranking: pd.DataFrame, units: Mapping[str, str]) -> Iterator[Table]:
    """Make the tables of one subject: samplers by budgets, each rank with its interval.

    Args:
        ranking: see `rank_samplers`.
        units: of the metrics.
    """
    for metric, of_metric in ranking.groupby("metric", sort=False):
        parts = [part for _, part in of_metric.groupby("protocol")]
        for letter, part in zip(letters(len(parts)), parts, strict=True):
            label = metric_label(str(metric), units.get(str(metric), ""))
            yield _rank_table(f"Rank by {label}" + (f", protocol {letter}" if letter else ""), part)


def _rank_table(title: str, part: pd.DataFrame) -> Table:
    budgets = sorted(part["budget"].unique())
    cells = {
        (str(row["curve"]), float(row["budget"])): TableCell(
            str(row["rank"]),
            f"{row['low']}–{row['high']}" if row["low"] > 0 else "",
            best_mark(bool(row["rank"] == 1)),
        )
        for row in part.to_dict("records")
    }
    # by the rank at the last budget that a sampler reaches
    last = part.sort_values("budget").groupby("curve")["rank"].last()
    order = sorted((int(rank), str(curve)) for curve, rank in last.items())
    rows = [(curve, [cells.get((curve, b), TableCell()) for b in budgets]) for _, curve in order]
    return sampler_table(title, [f"NFE ≤ {tick(b)}" for b in budgets], rows, [REMARK])


def _rank(rows: pd.DataFrame) -> pd.DataFrame:
    sign = -1.0 if rows["larger_is_better"].iloc[0] else 1.0
    # By hand: pandas' pivot tables would take a large report's time.
    curves, curve = np.unique(rows["curve"].to_numpy(dtype=object), return_inverse=True)
    seeds, seed = np.unique(rows["seed"].to_numpy(), return_inverse=True)
    shape = (len(curves), len(seeds))
    values = _means(curve * len(seeds) + seed, rows["value"], len(curves) * len(seeds))
    errors = _means(curve, rows["std_error"], len(curves))
    found = ranks(sign * values.reshape(shape), errors)
    order = np.argsort(found.place, kind="stable")
    return pd.DataFrame(
        {
            "curve": curves[order],
            "rank": found.place[order],
            "low": found.low[order],
            "high": found.high[order],
            "samplers": len(curves),
        }
    )


def _means(place: Ints, numbers: pd.Series, count: int) -> Floats:
    """Average the known numbers at each place; NaN where there are none."""
    values = numbers.to_numpy(dtype=float)
    known = np.isfinite(values)
    n = np.bincount(place[known], minlength=count)
    total = np.bincount(place[known], values[known], count)
    return np.asarray(np.divide(total, n, out=np.full(count, np.nan), where=n > 0))


def _runs(adaptive: pd.DataFrame) -> pd.DataFrame:
    """Average the adaptive solvers' runs: NFE and value of each tolerance."""
    runs = adaptive.groupby(["curve", "tolerance"], dropna=False, sort=False)
    means = runs.agg(
        nfe=("nfe", "mean"), value=("value", "mean"), larger=("larger_is_better", "first")
    ).reset_index()
    return means.assign(less=means["value"].where(~means["larger"].astype(bool), -means["value"]))


def _within(adaptive: pd.DataFrame, runs: pd.DataFrame, budget: float) -> pd.DataFrame:
    within = runs[runs["nfe"] <= budget]
    if within.empty:
        return adaptive.iloc[:0]
    best = within.loc[within.groupby("curve")["less"].idxmin(), ["curve", "tolerance"]]
    return adaptive.merge(best, on=["curve", "tolerance"])
