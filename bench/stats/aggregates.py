"""Aggregates over tasks and runs, as rliable gives them (Agarwal et al. 2021, arXiv:2108.13264).

Interquartile mean over all runs and tasks, probability of improvement averaged over tasks,
intervals by a bootstrap of the runs within each task.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata, trim_mean

from bench.stats.arrays import Floats

RESAMPLES = 500
FEWEST = 200
"""Resamples where numbers are many."""

MOST = 2_000_000
"""Numbers that a bootstrap may draw; above, it is left out."""


def interquartile_mean(scores: Floats) -> float:
    """The mean of the middle half of all scores."""
    return float(trim_mean(scores.ravel(), 0.25))


def interquartile_means(scores: Floats) -> Floats:
    """Of each sampler, the mean of the middle half of its scores over all runs and tasks.

    Args:
        scores: (samplers, runs, tasks).
    """
    return np.asarray(trim_mean(scores.reshape(len(scores), -1), 0.25, axis=1))


def probability_of_improvement(x: Floats, y: Floats) -> float:
    """The mean over tasks of P(X > Y) + P(X = Y)/2 (Mann and Whitney's U over its range).

    Args:
        x: scores of one side, (runs, tasks).
        y: scores of the other, (other runs, tasks).
    """
    n, m = len(x), len(y)
    ranks = rankdata(np.concatenate([x, y]), axis=0)[:n].sum(axis=0)
    return float(np.mean((ranks - n * (n + 1) / 2) / (n * m)))


def improvement_on_others(costs: Floats) -> Floats:
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


def cost_scores(costs: Floats) -> Floats:
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


def bootstrap(
    statistic: Callable[..., float], *scores: Floats, alpha: float, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile interval of a statistic, runs drawn again within each task (stratified).

    NaN where a side has one run, which has no scatter.

    Args:
        statistic: of arrays like ``scores``.
        scores: (runs, tasks) each.
        alpha: 1 - level of the interval.
        resamples: how often runs are drawn.
    """
    size = sum(s.size for s in scores) * resamples
    if min(len(s) for s in scores) < 2 or size > MOST * 10:
        return math.nan, math.nan
    draws = np.random.default_rng(0)
    found = [statistic(*(_resample(s, 0, draws) for s in scores)) for _ in range(resamples)]
    low, high = np.quantile(found, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def bootstrap_samplers(
    statistic: Callable[[Floats], Floats], numbers: Floats, alpha: float
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
    found = [statistic(_resample(numbers, 1, draws)) for _ in range(resamples)]
    low, high = np.quantile(found, [alpha / 2, 1 - alpha / 2], axis=0)
    return np.asarray(low), np.asarray(high)


def _resample(numbers: Floats, axis: int, draws: np.random.Generator) -> Floats:
    """The numbers with those along an axis drawn again."""
    picked = draws.integers(0, numbers.shape[axis], size=numbers.shape)
    return np.asarray(np.take_along_axis(numbers, picked, axis=axis))
