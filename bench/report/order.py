"""The measured order of a solver: how fast its error falls with the evaluations it spends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from bench.stats.intervals import LEVEL

ROUNDING = {"float16": 1e-2, "bfloat16": 1e-1, "float32": 1e-6, "float64": 1e-14}
"""Errors that rounding alone can cause, relative to data of unit size."""

MARGIN = 3.0
"""Points count when they are this many times above the floor: near it, it bends the slope."""

STALLED = 0.9
"""An error that falls by less than a tenth from one budget to the next has stopped falling."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Order:
    """The slope of log error against log evaluations, with the sign turned.

    Attributes:
        curve: the sampler.
        slope: the order.
        std_error: its standard error; NaN for two points, which leave no residual.
        first: least NFE of the points used.
        last: largest NFE of the points used.
        points: how many points were used.
        metric: the error.
    """

    curve: str
    slope: float
    std_error: float
    first: float
    last: float
    points: int
    metric: str = ""

    @property
    def half_width(self) -> float:
        """Half the width of its 95% interval: Student's t with two degrees less than points."""
        if np.isnan(self.std_error):
            return float("nan")
        return float(stdtrit(self.points - 2, 0.5 + LEVEL / 2)) * self.std_error

    @property
    def interval(self) -> str:
        """The 95% interval, for tables."""
        if np.isnan(self.half_width):
            return "–"
        return f"{self.slope - self.half_width:.2f} to {self.slope + self.half_width:.2f}"

    @property
    def text(self) -> str:
        """The order with its standard error, for legends and tables."""
        if np.isnan(self.std_error):
            return f"{self.slope:.2f}"
        places = 2 if self.std_error >= 0.005 else 3
        return f"{self.slope:.{places}f} ± {self.std_error:.{places}f}"


def falling(errors: Floats, floor: float) -> npt.NDArray[np.bool_]:
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


def floor(points: pd.DataFrame, reference: float | None) -> float:
    """Below what errors say nothing: rounding, or the reference's own error.

    All solvers of a subject are measured against one reference. Where its error is not known, it
    is taken for the lowest level where a solver stopped improving.

    Args:
        points: of one error metric of one subject.
        reference: the reference's own error, where it was measured.
    """
    rounding = max(
        (ROUNDING.get(str(dtype), 0.0) for dtype in points["dtype"].unique()), default=0.0
    )
    if reference is not None:
        return max(rounding, reference)
    stops = [
        _plateau(part.sort_values("evaluations")["value"].to_numpy(dtype=float))
        for _, part in points.groupby("curve")
    ]
    levels = [level for level in stops if level is not None]
    return max(rounding, min(levels, default=0.0))


def fit(curve: str, points: pd.DataFrame, floor: float) -> Order | None:
    """The order of one curve by least squares; None with less than two points to fit.

    The abscissa is NFE without the final denoise, which is no step of the solver.
    """
    ordered = points[points["evaluations"] > 0].sort_values("evaluations")
    used = ordered[falling(ordered["value"].to_numpy(dtype=float), floor)]
    if len(used) < 2 or used["evaluations"].nunique() < 2:
        return None
    slope, error = least_squares(
        np.log(used["evaluations"].to_numpy(dtype=float)),
        np.log(used["value"].to_numpy(dtype=float)),
    )
    first, last = float(used["nfe"].iloc[0]), float(used["nfe"].iloc[-1])
    return Order(curve, -slope, error, first, last, len(used))


def orders(points: pd.DataFrame, level: float) -> tuple[Order, ...]:
    """The orders of all curves of one error metric of one subject, above the level given."""
    fits = (fit(str(curve), part, level) for curve, part in points.groupby("curve", sort=True))
    metric = str(points["metric"].iloc[0]) if "metric" in points else ""
    return tuple(replace(order, metric=metric) for order in fits if order is not None)


def least_squares(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope of a straight line through points, and its standard error (NaN for two points)."""
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    if len(x) < 3:
        return slope, float("nan")
    residual = dy - slope * dx
    return slope, float(np.sqrt(residual @ residual / (len(x) - 2) / (dx @ dx)))


def _plateau(errors: Floats) -> float | None:
    """The least error of a curve that stopped falling at its end."""
    if len(errors) < 2 or errors[-1] < STALLED * errors[-2]:
        return None
    return float(errors.min())
