"""Aggregates over all curves and budgets of a metric: a task is a point, a run a seed.

The score of a task is the ratio HEAD/BASE of the metric.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from bench.compare.pairs import Pairs
from bench.stats.aggregates import bootstrap, interquartile_mean, probability_of_improvement
from bench.stats.arrays import Floats


def aggregates(points: pd.DataFrame, pairs: Pairs, alpha: float) -> pd.DataFrame:
    """One row for each metric with a direction: ratio and probability of improvement."""
    known = points[points["point"].notna() & points["ranked"]] if len(points) else points
    rows = [
        _metric(str(part["metric"].iloc[0]), part, pairs, alpha)
        for _, part in known.groupby("metric", sort=False)
    ]
    return pd.DataFrame([row for row in rows if row])


def _metric(name: str, part: pd.DataFrame, pairs: Pairs, alpha: float) -> dict[str, Any]:
    wanted = pairs.rows[pairs.chosen & pairs.rows["point"].isin(part["point"]).to_numpy()]
    base, head = (_scores(wanted[wanted["head"].eq(side)]) for side in (False, True))
    if base is None or head is None or (base <= 0).any() or (head <= 0).any():
        return {}
    larger = bool(part["larger"].iloc[0])

    def ratio(b: Floats, h: Floats) -> float:
        # Both sides keep their seeds together where they have the same number of them.
        scale = b if len(b) == len(h) else b.mean(axis=0)
        return math.exp(interquartile_mean(np.log(h) - np.log(scale)))

    def improved(b: Floats, h: Floats) -> float:
        return probability_of_improvement(h, b) if larger else probability_of_improvement(b, h)

    row: dict[str, Any] = {"metric": name, "points": base.shape[1], "seeds": len(base)}
    for column, statistic in (("iqm", ratio), ("improvement", improved)):
        low, high = bootstrap(statistic, base, head, alpha=alpha)
        row |= {column: statistic(base, head), f"{column}_low": low, f"{column}_high": high}
    return row


def _scores(rows: pd.DataFrame) -> Floats | None:
    """Values as (seeds, points); None where points have different numbers of seeds."""
    counts = rows.groupby("point", sort=True).size()
    if counts.empty or counts.nunique() != 1:
        return None
    ordered = rows.sort_values(["point", "seed"], kind="stable")["value"].to_numpy(dtype=float)
    return np.asarray(ordered.reshape(-1, int(counts.iloc[0])).T)
