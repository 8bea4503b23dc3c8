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
from scipy.special import ndtri, stdtrit

from bench.stats.arrays import Floats, Ints
from bench.stats.intervals import LEVEL


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
