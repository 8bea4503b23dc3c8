"""Measured orders of solvers: the speed at which errors fall with evaluations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from bench.results.roles import errors, references
from bench.stats.orders import falling, least_squares, plateau, slope_half_width

ROUNDING = {"float16": 1e-2, "bfloat16": 1e-1, "float32": 1e-6, "float64": 1e-14}
"""Errors that rounding alone can cause, relative to data of unit size."""


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
        return slope_half_width(self.std_error, self.points)

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


def floor(points: pd.DataFrame, reference: float | None) -> float:
    """Return the level below which errors say nothing: rounding, or the reference's own error.

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
        plateau(part.sort_values("evaluations")["value"].to_numpy(dtype=float))
        for _, part in points.groupby("curve")
    ]
    levels = [level for level in stops if level is not None]
    return max(rounding, min(levels, default=0.0))


def fit(curve: str, points: pd.DataFrame, floor: float) -> Order | None:
    """Fit the order of one curve by least squares; None with less than two points to fit.

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


@dataclass(frozen=True)
class ErrorFit:
    """The orders of one error under one protocol, and the level below which none counts."""

    points: pd.DataFrame
    level: float
    orders: tuple[Order, ...]


def error_fits(points: pd.DataFrame) -> tuple[ErrorFit, ...]:
    """Fit the orders of one subject."""
    distances = points[points["metric"].isin(errors(points))]
    parts = (part for _, part in distances.groupby(["metric", "protocol"], sort=False))
    return tuple(_fit_error(part, points) for part in parts)


def orders(points: pd.DataFrame, level: float) -> tuple[Order, ...]:
    """Fit the orders of all curves of one error of one subject, above the level given."""
    fits = (fit(str(curve), part, level) for curve, part in points.groupby("curve", sort=True))
    metric = str(points["metric"].iloc[0]) if "metric" in points else ""
    return tuple(replace(order, metric=metric) for order in fits if order is not None)


def order_frame(found: Iterable[tuple[str, tuple[Order, ...]]]) -> pd.DataFrame:
    """Make the table for a CSV file of titles of subjects with their orders."""
    columns = ("metric", "curve", "slope", "std_error", "half_width", "first", "last", "points")
    rows = [
        {"subject": subject, **asdict(order), "half_width": order.half_width}
        for subject, orders in found
        for order in orders
    ]
    return pd.DataFrame(rows, columns=["subject", *columns])


def _fit_error(part: pd.DataFrame, points: pd.DataFrame) -> ErrorFit:
    name = references(points).get(str(part["metric"].iloc[0]), "")
    known = points.loc[points["metric"].eq(name), "value"]
    level = floor(part, float(known.max()) if len(known) else None)
    return ErrorFit(part, level, orders(part, level))
