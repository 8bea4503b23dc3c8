"""From replicates to findings: Student's t over seeds, all intervals of a claim at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.stats.curves import first_reach
from bench.stats.intervals import LEVEL
from bench.stats.orders import falling, least_squares
from bench.stats.significance import POWER, t_half_widths
from bench_claims.rows import NOTHING, Curve
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
    values: Floats
    region: Region
    unit: str = ""
    test: str = "paired t over seeds"


def answer(questions: Sequence[Question]) -> list[Finding]:
    """Findings with intervals that hold at once with 95 % (Bonferroni).

    Replicates that are not finite count as NaN: no interval, no verdict.
    """
    alpha = (1 - LEVEL) / max(1, len(questions))
    return [_answer(question, alpha) for question in questions]


def _answer(question: Question, alpha: float) -> Finding:
    values = question.values
    n = len(values)
    mean = float(values.mean()) if n else math.nan
    error = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    freedom = np.array([float(max(n - 1, 1))])
    half = float(t_half_widths(np.array([error]), freedom, alpha)[0])
    power = float(t_half_widths(np.array([error]), freedom, 2 * (1 - POWER))[0])
    detectable = half + power
    return Finding(
        question.label,
        mean,
        mean - half,
        mean + half,
        question.region,
        n,
        detectable,
        question.test,
        question.unit,
    )


def difference(one: Curve, other: Curve, nfe: float, other_nfe: float | None = None) -> Floats:
    """Of common seeds, values of one at so many evaluations less those of the other, (seeds,)."""
    a, b = common(one, other)
    return a.at(nfe) - b.at(other_nfe or nfe)


def log_ratio(one: Curve, other: Curve, nfe: float, other_nfe: float | None = None) -> Floats:
    """Of common seeds, the logarithm of the ratio of the two, (seeds,)."""
    a, b = common(one, other)
    return np.asarray(np.log(a.at(nfe) / b.at(other_nfe or nfe)))


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
