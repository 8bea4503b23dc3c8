"""Ranks of samplers at a budget, with intervals that say how sure they are.

A sampler's rank is certain as far as its differences to the others are. Its interval runs from one
more than the number of samplers that are better with confidence to the number of all less those
that are worse with confidence. If the differences of a sampler to all others are covered at once
with probability 0.95, so is its rank (Mogstad et al. 2024, "Inference for Ranks", Review of
Economic Studies 91).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, stdtrit

from bench.results.roles import exact_partners
from bench.stats.intervals import LEVEL

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

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranks:
    """Ranks of samplers: 1 is the best. ``low`` and ``high`` are -1 where nothing is known."""

    place: Ints
    low: Ints
    high: Ints


def ranks(values: Floats, std_errors: Floats) -> Ranks:
    """Ranks by the means over seeds, and their 95% intervals.

    Two samplers are compared on the seeds that both have: paired, since a seed is the same noise
    for all. With two such seeds or more, the interval of their difference is Student's; with one,
    it comes from the standard errors within the run, as if those were independent. Bonferroni's
    correction makes the intervals of one sampler's differences hold at once.

    Args:
        values: (samplers, seeds), the less the better; NaN where a sampler lacks a seed.
        std_errors: (samplers,), of the value within a run; NaN where unknown.
    """
    count = len(values)
    means = np.nanmean(values, axis=1)
    place = 1 + (means[None, :] < means[:, None]).sum(axis=1)
    difference, width = _differences(values, std_errors, 1 - (1 - LEVEL) / max(1, count - 1))
    others = ~np.eye(count, dtype=bool)
    known = (np.isfinite(width) & others).sum(axis=1) == count - 1
    better = ((difference < -width) & others).sum(axis=1)
    worse = ((difference > width) & others).sum(axis=1)
    low = np.where(known, np.minimum(1 + better, place), -1)
    high = np.where(known, np.maximum(count - worse, place), -1)
    return Ranks(place.astype(np.int64), low.astype(np.int64), high.astype(np.int64))


def _differences(values: Floats, std_errors: Floats, level: float) -> tuple[Floats, Floats]:
    """(i, j): the mean of j less that of i, and the half-width of its interval; NaN if unknown."""
    apart = values[None, :, :] - values[:, None, :]
    shared = np.isfinite(apart)
    n = shared.sum(axis=2)
    total = np.where(shared, apart, 0.0).sum(axis=2)
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = np.where(shared, (apart - mean[:, :, None]) ** 2, 0.0).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        student = stdtrit(np.maximum(n - 1, 1), 0.5 + level / 2) * np.sqrt(squares / (n - 1) / n)
    within = ndtri(0.5 + level / 2) * np.hypot(std_errors[None, :], std_errors[:, None])
    width = np.where(n >= 2, student, np.where(n == 1, within, np.nan))
    return mean, width


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
