"""From differences with their errors to verdicts: t intervals, Holm's correction, equivalence.

Everything is a vector over comparisons. A *loss* is a difference HEAD - BASE, its sign turned for
metrics of which more is better: positive is worse.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtr, stdtrit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]

POWER = 0.9
"""Probability with which the number of samples that is advised finds the difference."""


class Verdict(StrEnum):
    """What is said of one comparison.

    ``WORSE``: the loss is not chance (Holm's p below alpha) and above the tolerance. ``BETTER``:
    the same on the other side. ``SAME``: the interval of the difference lies within the tolerance
    on both sides, or every bit is the same. ``CHANGED``: a diagnostic, which has no better side,
    changed by more than the tolerance. ``INCONCLUSIVE``: none of these can be said.
    """

    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    BETTER = "better"
    CHANGED = "changed"
    SAME = "same"


def half_widths(std_error: Floats, freedom: Floats, alpha: float) -> Floats:
    """Half-widths of the intervals of level 1 - alpha (Student's t); NaN where there is no error.

    ``freedom`` may be infinite, for a standard error that is taken for exact.
    """
    return _quantile(freedom, 1 - alpha / 2) * std_error


def p_values(difference: Floats, std_error: Floats, freedom: Floats) -> Floats:
    """Two-sided p-values of "no difference"; NaN where there is no standard error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference) / std_error
    t = np.where((difference == 0) & (std_error == 0), 0.0, t)
    return np.asarray(2 * stdtr(np.minimum(freedom, 1e9), -t), dtype=float)


def holm(p: Floats, family: Ids) -> Floats:
    """Holm's (1979) step-down p-values within each family; NaN stays and does not count."""
    adjusted = np.full(len(p), np.nan)
    for name in np.unique(family[~np.isnan(p)]):
        members = np.flatnonzero((family == name) & ~np.isnan(p))
        order = members[np.argsort(p[members], kind="stable")]
        factors = np.arange(len(order), 0, -1)
        adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return adjusted


def verdicts(
    loss: Floats,
    half_width: Floats,
    adjusted: Floats,
    tolerance: Floats,
    identical: Flags,
    ranked: Flags,
    alpha: float,
) -> npt.NDArray[np.object_]:
    """The verdict of each comparison.

    Args:
        loss: differences, positive is worse.
        half_width: of their intervals of level 1 - alpha; NaN where unknown.
        adjusted: p-values after Holm's correction.
        tolerance: the loss, or gain, that does not matter; same unit as the loss, >= 0.
        identical: every bit of value and evidence is the same on both sides.
        ranked: whether one direction is better.
        alpha: the family-wise error.
    """
    sure = adjusted < alpha
    beyond = sure & (np.abs(loss) > tolerance)
    within = np.abs(loss) + half_width <= tolerance
    choices = (
        (identical, Verdict.SAME),
        (within, Verdict.SAME),
        (beyond & ~ranked, Verdict.CHANGED),
        (beyond & (loss > 0), Verdict.WORSE),
        (beyond & (loss < 0), Verdict.BETTER),
    )
    conditions = [condition for condition, _ in choices]
    return np.select(
        conditions, [np.full(len(loss), v, dtype=object) for _, v in choices], Verdict.INCONCLUSIVE
    )


def factor_needed(
    std_error: Floats, tolerance: Floats, loss: Floats, tests: Floats, alpha: float
) -> Floats:
    """How many times the samples (or seeds) it takes to find a difference of the tolerance's size.

    With probability ``POWER``, at Bonferroni's level alpha / ``tests``, the hardest step of Holm's.
    Without a tolerance, a difference as large as the one seen.
    """
    effect = np.where(tolerance > 0, tolerance, np.abs(loss))
    quantile = ndtri(1 - alpha / (2 * np.maximum(tests, 1))) + ndtri(POWER)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((quantile * std_error / effect) ** 2, dtype=float)


def _quantile(freedom: Floats, level: float) -> Floats:
    return np.asarray(stdtrit(np.clip(freedom, 1e-9, 1e9), level), dtype=float)
