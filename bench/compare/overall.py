"""Summaries over all curves and budgets of a metric, as rliable gives them over tasks and runs.

A task is a point, a run a seed. The score of a task is the ratio HEAD/BASE of the metric. Agarwal
et al. 2021, arXiv:2108.13264: interquartile mean over all runs and tasks, probability of
improvement averaged over tasks, intervals by a bootstrap of the runs within each task.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata, trim_mean

from bench.compare.pairs import Paired
from bench.compare.verdict import Floats

RESAMPLES = 500
FEWEST = 200
"""Resamples where numbers are many."""

MOST = 2_000_000
"""Numbers that a bootstrap may draw; above, it is left out."""


def interquartile_mean(scores: Floats) -> float:
    """The mean of the middle half of all scores."""
    return float(trim_mean(scores.ravel(), 0.25))


def probability_of_improvement(x: Floats, y: Floats) -> float:
    """The mean over tasks of P(X > Y) + P(X = Y)/2 (Mann and Whitney's U over its range).

    Args:
        x: scores of one side, (runs, tasks).
        y: scores of the other, (other runs, tasks).
    """
    n, m = len(x), len(y)
    ranks = rankdata(np.concatenate([x, y]), axis=0)[:n].sum(axis=0)
    return float(np.mean((ranks - n * (n + 1) / 2) / (n * m)))


def bootstrap(
    statistic: Callable[..., float], *scores: Floats, alpha: float, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile interval of a statistic, runs drawn again within each task (stratified).

    NaN where a side has one run, which has no scatter.
    """
    size = sum(s.size for s in scores) * resamples
    if min(len(s) for s in scores) < 2 or size > MOST * 10:
        return math.nan, math.nan
    draws = np.random.default_rng(0)
    found = [statistic(*(_again(s, draws) for s in scores)) for _ in range(resamples)]
    low, high = np.quantile(found, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def normalised(costs: Floats) -> Floats:
    """Scores between 0 and 1 from costs: 1 the least cost of a task, 0 the largest, in their logs.

    Args:
        costs: (samplers, runs, tasks), positive; infinite or NaN: failed, which scores 0.

    Where all that did not fail cost the same, they score 1.
    """
    solved = np.isfinite(costs)
    logs = np.log(np.where(solved, costs, 1.0))
    best = np.where(solved, logs, np.inf).min(axis=(0, 1))
    worst = np.where(solved, logs, -np.inf).max(axis=(0, 1))
    span = np.where(worst > best, worst - best, 1.0)
    return np.where(solved, np.where(worst > best, (worst - logs) / span, 1.0), 0.0)


def interquartile_means(scores: Floats) -> Floats:
    """Of each sampler, the mean of the middle half of its scores over all runs and tasks.

    Args:
        scores: (samplers, runs, tasks).
    """
    return np.asarray(trim_mean(scores.reshape(len(scores), -1), 0.25, axis=1))


def improvement_over_field(costs: Floats) -> Floats:
    """Of each sampler, the mean over all others of its probability of improvement on them.

    Args:
        costs: (samplers, runs, tasks), the less the better; infinite: failed, which ties with
            other failures.
    """
    samplers, runs, tasks = costs.shape
    if samplers < 2:
        return np.full(samplers, np.nan)
    # U of a sampler against all others at once: its ranks among all less those among its own
    ranks = rankdata(-costs.reshape(-1, tasks), axis=0).reshape(costs.shape).sum(axis=1)
    pairs = runs * runs * (samplers - 1)
    return np.asarray(((ranks - runs * (runs + 1) / 2) / pairs).mean(axis=1))


def bootstrap_field(
    statistic: Callable[[Floats], Floats],
    numbers: Floats,
    alpha: float,
) -> tuple[Floats, Floats]:
    """As ``bootstrap``, of a statistic of all samplers: runs drawn again within each of its tasks.

    Args:
        statistic: of numbers like these, one value for each sampler.
        numbers: (samplers, runs, tasks).
        alpha: 1 - level of the intervals.

    Returns:
        Lower and upper ends, (samplers,); NaN with one run, or too many numbers to draw. Of many
        numbers there are fewer resamples, 200 at least.
    """
    samplers, runs, _ = numbers.shape
    resamples = min(RESAMPLES, max(FEWEST, MOST * 2 // max(1, numbers.size)))
    if runs < 2 or numbers.size * resamples > MOST * 10:
        return np.full(samplers, np.nan), np.full(samplers, np.nan)
    draws = np.random.default_rng(0)
    found = []
    for _ in range(resamples):
        picked = draws.integers(0, runs, size=numbers.shape)
        found.append(statistic(np.take_along_axis(numbers, picked, axis=1)))
    low, high = np.quantile(found, [alpha / 2, 1 - alpha / 2], axis=0)
    return np.asarray(low), np.asarray(high)


def performance_profile(costs: Floats, ratios: Floats) -> Floats:
    """Dolan and More's profiles: the share of problems solved within a ratio of the best cost.

    Args:
        costs: (solvers, problems), positive; infinite or NaN: not solved.
        ratios: (points,), at least 1.

    Returns:
        (solvers, points). Problems that no solver solves count as solved by none.
    """
    filled = np.where(np.isfinite(costs), costs, np.inf)
    best = filled.min(axis=0)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(filled), filled / best, np.inf)
    return np.asarray((share[:, :, None] <= ratios[None, None]).mean(axis=1))


def data_profile(costs: Floats, budgets: Floats) -> Floats:
    """COCO's ECDF: the share of (problem, target) pairs reached within a budget.

    Args:
        costs: NFE to reach each target, (solvers, pairs); infinite or NaN: never.
        budgets: (points,).

    Returns:
        (solvers, points).
    """
    filled = np.where(np.isfinite(costs), costs, np.inf)
    return np.asarray((filled[:, :, None] <= budgets[None, None]).mean(axis=1))


def overall(points: pd.DataFrame, paired: Paired, alpha: float) -> pd.DataFrame:
    """One row for each metric with a direction: ratio and probability of improvement."""
    known = points[points["point"].notna() & points["ranked"]] if len(points) else points
    rows = [
        _metric(str(part["metric"].iloc[0]), part, paired, alpha)
        for _, part in known.groupby("metric", sort=False)
    ]
    return pd.DataFrame([row for row in rows if row])


def _metric(name: str, part: pd.DataFrame, paired: Paired, alpha: float) -> dict[str, Any]:
    wanted = paired.rows[paired.chosen & paired.rows["point"].isin(part["point"]).to_numpy()]
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


def _again(scores: Floats, draws: np.random.Generator) -> Floats:
    picked: npt.NDArray[np.int64] = draws.integers(0, len(scores), size=scores.shape)
    return np.asarray(np.take_along_axis(scores, picked, axis=0))
