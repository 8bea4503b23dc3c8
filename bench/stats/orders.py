"""Orders of convergence: the slope of log error against log cost, where errors fall."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from bench.stats.arrays import Flags, Floats
from bench.stats.intervals import LEVEL

MARGIN = 3.0
"""Points count when they are this many times above the floor: near it, it bends the slope."""

STALLED = 0.9
"""An error that falls by less than a tenth from one budget to the next has stopped falling."""


def falling(errors: Floats, floor: float) -> Flags:
    """The points to fit: the longest run of falling errors, as far as it is above the floor.

    Args:
        errors: by increasing cost.
        floor: what the reference's own accuracy limits errors to.
    """
    drops = errors[1:] < STALLED * errors[:-1]
    best, start = (0, 0), 0
    for i in range(len(errors)):
        if i and not drops[i - 1]:
            start = i
        if i + 1 - start > best[1] - best[0]:
            best = (start, i + 1)
    chosen = np.zeros(len(errors), dtype=bool)
    chosen[best[0] : best[1]] = True
    return chosen & (errors > MARGIN * floor)


def plateau(errors: Floats) -> float | None:
    """The least error of a curve that stopped falling at its end; None where it did not."""
    if len(errors) < 2 or errors[-1] < STALLED * errors[-2]:
        return None
    return float(errors.min())


def least_squares(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope of a straight line through points, and its standard error (NaN for two points)."""
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    if len(x) < 3:
        return slope, float("nan")
    residual = dy - slope * dx
    return slope, float(np.sqrt(residual @ residual / (len(x) - 2) / (dx @ dx)))


def slope_half_width(std_error: float, points: int) -> float:
    """Half the width of a slope's 95% interval: Student's t, two degrees less than points."""
    if np.isnan(std_error):
        return float("nan")
    return float(stdtrit(points - 2, 0.5 + LEVEL / 2)) * std_error
