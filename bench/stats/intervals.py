"""Means over seeds and their 95% intervals."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from bench.stats.arrays import Floats

LEVEL = 0.95
"""Coverage of every interval in the report."""

NORMAL_QUANTILE = 1.959963984540054
"""Of the normal distribution at `LEVEL`, for a standard error that comes from within a run."""


class Interval(StrEnum):
    """The grounds of an interval."""

    SEEDS = "seeds"
    STD_ERROR = "std_error"
    NONE = "none"


def half_widths(
    n: Floats, deviation: Floats, std_error: Floats
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Half-widths of the intervals of means, and the `Interval` that each rests on.

    Args:
        n: seeds behind each mean.
        deviation: sample standard deviation over the seeds; NaN for one seed.
        std_error: standard error within the run, for those with one seed; NaN where unknown.
    """
    several = n >= 2
    known = ~several & ~np.isnan(std_error)
    student = stdtrit(np.maximum(n - 1, 1), 0.5 + LEVEL / 2) * deviation / np.sqrt(n)
    width = np.where(several, student, np.where(known, NORMAL_QUANTILE * std_error, np.nan))
    basis = np.where(several, Interval.SEEDS, np.where(known, Interval.STD_ERROR, Interval.NONE))
    return width, basis.astype(object)
