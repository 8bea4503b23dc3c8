"""From differences with their intervals to verdicts.

Everything is a vector over comparisons. A *loss* is a difference HEAD - BASE, its sign turned for
metrics of which more is better: positive is worse.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bench.stats.arrays import Flags, Floats


class Verdict(StrEnum):
    """The verdict on one comparison.

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
