"""Axes that suit measurements: limits and logarithmic ticks."""

from __future__ import annotations

from math import log10

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from bench.render.labels import tick

Limits = tuple[float, float]


def suits_log(values: pd.Series) -> bool:
    """Say if all values are positive and span more than a decade."""
    return bool(len(values) and values.min() > 0 and values.max() > 10 * values.min())


def limits(values: pd.Series, low: pd.Series, high: pd.Series, log: bool) -> Limits:
    """Frame the values and their intervals, where these are not out of proportion.

    Two seeds can have an interval of twelve times their spread: the frame then follows the values
    and cuts the interval.
    """
    centre, ends = values.to_numpy(dtype=float), np.concatenate([low.dropna(), high.dropna()])
    if log:
        centre, ends = np.log10(centre), np.log10(ends[ends > 0])
    bottom, top = float(centre.min()), float(centre.max())
    span = (top - bottom) or (0.3 if log else abs(top) * 0.2 or 1.0)
    reach = (bottom - 0.35 * span, top + 0.35 * span)
    if len(ends):
        bottom, top = min(bottom, float(ends.min())), max(top, float(ends.max()))
    bottom, top = max(bottom, reach[0]) - 0.06 * span, min(top, reach[1]) + 0.06 * span
    return (10.0**bottom, 10.0**top) if log else (bottom, top)


def log_x(axes: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic between two positive ends, with plain-text ticks."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    _log_ticks(axes.xaxis, log10(high / low), low)


def fit_log_x(axes: Axes, values: pd.Series) -> None:
    """Make the x axis logarithmic around positive values."""
    log_x(axes, float(values.min()) / 1.2, float(values.max()) * 1.2)


def fit_y(axes: Axes, values: pd.Series, low: pd.Series, high: pd.Series, log: bool) -> None:
    """Fit the y axis to values and their intervals, see `limits`."""
    bottom, top = limits(values, low, high, log)
    if log:
        axes.set_yscale("log")
    axes.set_ylim(bottom, top)
    if log:
        _log_ticks(axes.yaxis, log10(top / bottom), 1.0)


def _log_ticks(axis: Axis, decades: float, least: float) -> None:
    axis.set_major_locator(LogLocator(base=10.0, subs=_subs(decades, least), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _subs(decades: float, least: float) -> tuple[float, ...]:
    if decades > 1 and least < 1e-3:  # 2×10⁻⁴ is wide
        return (1.0,) if decades > 1.5 else (1.0, 3.0)
    if decades < 0.8:
        return (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    return (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
