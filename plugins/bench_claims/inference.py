"""From replicates to findings, all intervals of a claim at once.

Where each replicate has a standard error of its own, from numbers per sample, intervals rest on
those, as in `bench compare`; else on the scatter over replicates, by Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.stats.curves import first_reach
from bench.stats.intervals import LEVEL
from bench.stats.orders import falling, least_squares
from bench.stats.significance import POWER, t_half_widths
from bench_claims.rows import NOTHING, Curve, Replicates
from bench_claims.verdict import Finding, Floats

Region = tuple[float, float]


def above(threshold: float) -> Region:
    """A claim of values above a threshold."""
    return threshold, math.inf


def below(threshold: float) -> Region:
    """A claim of values below a threshold."""
    return -math.inf, threshold


@dataclass(frozen=True)
class Question:
    """Replicates of one number, and the region in which the claim holds."""

    label: str
    values: Replicates | Floats
    region: Region
    unit: str = ""
    test: str = "t over seeds"


def answer(questions: Sequence[Question]) -> list[Finding]:
    """Findings with intervals that hold at once with 95 % (Bonferroni).

    Replicates that are not finite leave no interval and no verdict.
    """
    alpha = (1 - LEVEL) / max(1, len(questions))
    return [_answer(question, alpha) for question in questions]


def _answer(question: Question, alpha: float) -> Finding:
    given = question.values
    values = given.values if isinstance(given, Replicates) else given
    n, test = len(values), question.test
    mean = float(values.mean()) if n else math.nan
    error, freedom = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan, n - 1.0
    if isinstance(given, Replicates) and n and np.isfinite(given.errors).all():
        error, freedom = float(np.sqrt((given.errors**2).sum())) / n, math.inf
        test = test.replace("t over seeds", "z from numbers per sample")
    half, power = (
        float(t_half_widths(np.array([error]), np.array([max(freedom, 1.0)]), level)[0])
        for level in (alpha, 2 * (1 - POWER))
    )
    ends = mean - half, mean + half
    return Finding(
        question.label, mean, *ends, question.region, n, half + power, test, question.unit
    )


def difference(one: Curve, other: Curve, nfe: float, other_nfe: float | None = None) -> Replicates:
    """Of common seeds, values of one at so many evaluations less those of the other."""
    a, b = (
        curve.at(at) for curve, at in zip(common(one, other), (nfe, other_nfe or nfe), strict=True)
    )
    return Replicates(a.values - b.values, np.hypot(a.errors, b.errors))


def log_ratio(one: Curve, other: Curve, nfe: float, other_nfe: float | None = None) -> Replicates:
    """Of common seeds, the logarithm of the ratio of the two.

    Errors are as of independent samples: more than there are where both share their noise.
    """
    a, b = (
        curve.at(at) for curve, at in zip(common(one, other), (nfe, other_nfe or nfe), strict=True)
    )
    errors = np.hypot(a.errors / a.values, b.errors / b.values)
    return Replicates(np.log(a.values / b.values), errors)


def common(one: Curve, other: Curve) -> tuple[Curve, Curve]:
    """Both curves over the seeds that both have."""
    _, i, j = np.intersect1d(one.seeds, other.seeds, return_indices=True)
    if not len(i):
        return NOTHING, NOTHING
    return one.of_seeds(i), other.of_seeds(j)


def reach(curve: Curve, targets: Floats) -> Floats:
    """NFE at which each seed's curve first comes down to its target; NaN: never, (seeds,)."""
    found = [
        first_reach(curve.nfe, row[None], float(target))[0]
        for row, target in zip(curve.values, targets, strict=True)
    ]
    return np.array(found)


def slopes(curve: Curve, x: Floats, floor: float = 0.0) -> Floats:
    """Of each seed, minus the slope of log error over log x where errors fall, (seeds,).

    Args:
        curve: of an error.
        x: cost or number of steps of each point, (points,).
        floor: what the reference's own accuracy limits errors to.
    """
    found = []
    for row in curve.values:
        keep = falling(row, floor)
        if keep.sum() < 2:
            return np.empty(0)
        found.append(-least_squares(np.log(x[keep]), np.log(row[keep]))[0])
    return np.array(found)
