"""Means over seeds and their 95% intervals."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd
from scipy.special import stdtrit

LEVEL = 0.95
"""Coverage of every interval in the report."""

NORMAL_QUANTILE = 1.959963984540054
"""Of the normal distribution at `LEVEL`, for a standard error that comes from within a run."""


class Interval(StrEnum):
    """What an interval rests on."""

    SEEDS = "seeds"
    STD_ERROR = "std_error"
    NONE = "none"


def half_widths(n: pd.Series, deviation: pd.Series, std_error: pd.Series) -> pd.DataFrame:
    """Half-widths of the intervals and what each rests on, as columns `half_width`, `interval`.

    Args:
        n: seeds behind each mean.
        deviation: sample standard deviation over the seeds; NaN for one seed.
        std_error: standard error within the run, for those with one seed; NaN where unknown.
    """
    several = n.to_numpy() >= 2
    told = ~several & std_error.notna().to_numpy()
    freedom = np.maximum(n.to_numpy(dtype=float) - 1, 1)
    student = stdtrit(freedom, 0.5 + LEVEL / 2) * deviation.to_numpy() / np.sqrt(n.to_numpy())
    width = np.where(several, student, np.where(told, NORMAL_QUANTILE * std_error, np.nan))
    basis = np.where(several, Interval.SEEDS, np.where(told, Interval.STD_ERROR, Interval.NONE))
    return pd.DataFrame({"half_width": width, "interval": basis.astype(object)}, index=n.index)
