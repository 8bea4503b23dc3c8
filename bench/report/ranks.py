"""Ranks of a subject's samplers at each budget, as a tidy frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

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


def ranking(frame: pd.DataFrame) -> pd.DataFrame:
    """The ranks of one subject, tidy: metric, protocol, budget, curve, rank, low, high, samplers.

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
                table = _ranked(chosen)
                parts.append(
                    table.assign(metric=str(metric), protocol=int(str(protocol)), budget=budget)
                )
    columns = ["metric", "protocol", "budget", "curve", "rank", "low", "high", "samplers"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
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
    """The mean of the known numbers at each place; NaN where there are none."""
    values = numbers.to_numpy(dtype=float)
    known = np.isfinite(values)
    n = np.bincount(place[known], minlength=count)
    total = np.bincount(place[known], values[known], count)
    return np.asarray(np.divide(total, n, out=np.full(count, np.nan), where=n > 0))


def _runs(adaptive: pd.DataFrame) -> pd.DataFrame:
    """The adaptive solvers' runs: each tolerance with its mean NFE and value."""
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
