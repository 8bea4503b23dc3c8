"""Student's t intervals and tests, Holm's correction, and the power of a test.

Everything is a vector over comparisons.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from bench.stats.arrays import Floats, Ints

POWER = 0.9
"""Probability with which the number of samples that is advised finds the difference."""


def t_half_widths(std_error: Floats, freedom: Floats, alpha: float) -> Floats:
    """Half-widths of the intervals of level 1 - alpha (Student's t); NaN where there is no error.

    ``freedom`` may be infinite, for a standard error that is taken for exact.
    """
    quantile = np.asarray(stdtrit(np.clip(freedom, 1e-9, 1e9), 1 - alpha / 2), dtype=float)
    return quantile * std_error


def p_values(difference: Floats, std_error: Floats, freedom: Floats) -> Floats:
    """Two-sided p-values of "no difference"; NaN where there is no standard error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference) / std_error
    t = np.where((difference == 0) & (std_error == 0), 0.0, t)
    return np.asarray(2 * stdtr(np.minimum(freedom, 1e9), -t), dtype=float)


def holm(p: Floats, family: Ints) -> Floats:
    """Holm's (1979) step-down p-values within each family; NaN stays and does not count."""
    adjusted = np.full(len(p), np.nan)
    for name in np.unique(family[~np.isnan(p)]):
        members = np.flatnonzero((family == name) & ~np.isnan(p))
        order = members[np.argsort(p[members], kind="stable")]
        factors = np.arange(len(order), 0, -1)
        adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return adjusted


def samples_factor(
    std_error: Floats, tolerance: Floats, loss: Floats, tests: Floats, alpha: float
) -> Floats:
    """The factor of samples (or seeds) that finds a difference of the tolerance's size.

    With probability ``POWER``, at Bonferroni's level alpha / ``tests``, the hardest step of Holm's.
    Without a tolerance, a difference as large as the one seen.
    """
    effect = np.where(tolerance > 0, tolerance, np.abs(loss))
    quantile = ndtri(1 - alpha / (2 * np.maximum(tests, 1))) + ndtri(POWER)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((quantile * std_error / effect) ** 2, dtype=float)
