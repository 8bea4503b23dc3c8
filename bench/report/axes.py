"""Axes that suit measurements: limits, logarithmic ticks, legends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log10
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from bench.render.labels import tick
from bench.report.looks import Kind, Look
from bench.report.svg import Part, Tags

Limits = tuple[float, float]


def log_axis_suits(values: pd.Series) -> bool:
    """Whether all values are positive and span more than a decade."""
    return bool(len(values) and values.min() > 0 and values.max() > 10 * values.min())


def limits(values: pd.Series, low: pd.Series, high: pd.Series, log: bool) -> Limits:
    """A frame around the values and their intervals, where these are not out of proportion.

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


def log_y(axes: Axes, low: float, high: float) -> None:
    """Make the y axis logarithmic between two positive ends, with plain-text ticks."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    _log_ticks(axes.yaxis, log10(high / low), 1.0)


def legend_width(looks: Iterable[Look], suffix: Mapping[str, str]) -> float:
    """Room that a legend takes, in inches."""
    longest = max((len(look.label + suffix.get(look.label, "")) for look in looks), default=0)
    return 0.75 + 0.066 * max(longest, 19)


def legend_height(looks: Iterable[Look]) -> float:
    """Height that a legend takes, in inches."""
    shown = list(looks)
    return 0.166 * (len(shown) + len({look.kind for look in shown})) + 0.3


def legend(figure: Figure, looks: Sequence[Look], suffix: Mapping[str, str], tags: Tags) -> None:
    """The curves' legend at the right of the axes, under the headings of their kinds.

    It stands in a strip of its own, `legend_width` wide, that the axes are kept out of.

    Args:
        figure: the figure, in a constrained layout.
        looks: of the curves that the figure shows.
        suffix: text to add to a label.
        tags: are told which entry is whose.
    """
    handles: list[Line2D] = []
    labels: list[str] = []
    owners: list[Look | None] = []
    for kind in Kind:
        members = [look for look in looks if look.kind is kind]
        if not members:
            continue
        owners += [None, *members]
        handles += [Line2D([], [], linestyle="none"), *map(_handle, members)]
        labels += [kind.title, *(look.label + suffix.get(look.label, "") for look in members)]
    width, _ = figure.get_size_inches()
    left = 1.0 - legend_width(looks, suffix) / width
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.0, 0.0, left, 1.0))
    box = figure.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(left, 1.0),
        handlelength=3.4,
        labelspacing=0.45,
    )
    box.set_in_layout(False)  # laying it out costs more than all the curves
    for owner, text, handle in zip(owners, box.get_texts(), box.legend_handles, strict=True):
        if owner is None:
            text.set_fontweight("bold")
        else:
            tags.put(text, owner, Part.KEY)
            tags.put(handle, owner, Part.KEY)


def _handle(look: Look) -> Line2D:
    return Line2D([], [], color=look.color, marker=look.marker, linestyle=look.dashes)


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
