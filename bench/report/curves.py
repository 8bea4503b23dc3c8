"""Every metric against what it cost: NFE or wall-clock, one line for each sampler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bench.render.labels import letters, metric_label, number, one_line
from bench.report.axes import (
    legend,
    legend_height,
    legend_width,
    limits,
    log_axis_suits,
    log_x,
    log_y,
)
from bench.report.canvas import Sketch, blank
from bench.report.looks import MUTED, TEXT, Look
from bench.report.svg import Part, Tags, place
from bench.results.roles import exact_partners, primary
from bench.stats.intervals import Interval

PANEL_WIDTH, PANEL_HEIGHT = 3.6, 2.75


@dataclass(frozen=True)
class Abscissa:
    """What a figure has on its x axis.

    Attributes:
        column: of the points.
        label: of the axis.
        apart: columns that keep points out of one another's panel.
        difference: what panels that these columns keep apart differ in.
    """

    column: str
    label: str
    apart: tuple[str, ...]
    difference: str


NFE = Abscissa("nfe", "NFE per sample (measured)", ("protocol",), "protocol")
WALL_CLOCK = Abscissa(
    "wall_per_sample_s", "sampling time per sample (s)", ("protocol", "hardware"), "conditions"
)


@dataclass(frozen=True)
class Panel:
    """The axes of one metric under one protocol; `before` are the points of a run to compare."""

    title: str
    difference: str
    label: str
    points: pd.DataFrame
    exact: float | None
    before: pd.DataFrame | None = None


def panels(
    points: pd.DataFrame, abscissa: Abscissa, before: pd.DataFrame | None = None
) -> tuple[Panel, ...]:
    """The panels of one subject: what must not be compared stands in panels of its own.

    Args:
        points: of the subject.
        abscissa: of the figure.
        before: points of the same subject in another run, which are shown where they may be
            compared.
    """
    drawable = points[points[abscissa.column] > 0]
    partners = exact_partners(points)
    shown = drawable[drawable["metric"].isin(primary(points))]
    found = []
    for metric, of_metric in shown.groupby("metric", sort=False):
        exact = drawable.loc[drawable["metric"].eq(partners.get(str(metric), "")), "value"]
        parts = [part for _, part in of_metric.groupby(list(abscissa.apart), sort=True)]
        for letter, part in zip(letters(len(parts)), parts, strict=True):
            difference = f"{abscissa.difference} {letter}" if letter else ""
            panel = _panel(str(metric), difference, part, exact)
            found.append(replace(panel, before=_alike(before, part, abscissa)))
    return tuple(found)


def _alike(
    before: pd.DataFrame | None, part: pd.DataFrame, abscissa: Abscissa
) -> pd.DataFrame | None:
    """The points of the other run that may stand beside those of a panel."""
    if before is None:
        return None
    keep = before[abscissa.column] > 0
    for name in ("metric", *abscissa.apart):
        keep &= before[name].eq(part[name].iloc[0])
    return before[keep] if keep.any() else None


def draw(
    panels: tuple[Panel, ...],
    abscissa: Abscissa,
    looks: Mapping[str, Look],
    title: str,
    name: str,
) -> Sketch:
    """Draw panels side by side, two in a row, with one legend for all of them."""
    shown = [looks[c] for c in sorted({c for panel in panels for c in panel.points["curve"]})]
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    height = max(rows * PANEL_HEIGHT + 0.1, legend_height(shown))
    figure, tags = blank(columns * PANEL_WIDTH + legend_width(shown, {}), height), Tags()
    for i, panel in enumerate(panels):
        axes = figure.add_subplot(rows, columns, i + 1)
        _draw_panel(axes, panel, abscissa, looks, tags)
    legend(figure, shown, {}, tags)
    return Sketch(figure, name, title, _caption(panels), tags)


def lines(
    axes: Axes, points: pd.DataFrame, column: str, looks: Mapping[str, Look], tags: Tags
) -> None:
    """One line for each curve, with the intervals as thin upright strokes."""
    for curve, part in points.sort_values(column).groupby("curve", sort=True):
        look = looks[str(curve)]
        x, y = part[column].to_numpy(dtype=float), part["value"].to_numpy(dtype=float)
        ends = part[["low", "high"]].to_numpy(dtype=float)
        told = np.isfinite(ends).all(axis=1)
        if told.any():
            # all strokes of a curve are one path, with gaps
            at = np.repeat(x[told], 3)
            upright = np.column_stack([ends[told], np.full(told.sum(), np.nan)]).ravel()
            (stroke,) = axes.plot(at, upright, color=look.color, lw=0.9, ls="-", alpha=0.55)
            stroke.set_solid_capstyle("butt")
            tags.put(stroke, look, Part.STROKE)
        (line,) = axes.plot(x, y, color=look.color, linestyle=look.dashes)
        tags.put(line, look, Part.LINE)
        (marks,) = axes.plot(
            x, y, linestyle="none", color=look.color, marker=look.marker, markeredgewidth=0
        )
        places = [place(*at) for at in zip(part["budget"], part["nfe"], strict=True)]
        tags.put(marks, look, Part.MARK, places)


def _panel(metric: str, difference: str, part: pd.DataFrame, exact: pd.Series) -> Panel:
    label = metric_label(metric, str(part["unit"].iloc[0]))
    arrow = "→ exact" if len(exact) else _arrow(part)
    title = one_line(label, 40) + (f", {difference}" if difference else "")
    reference = float(exact.mean()) if len(exact) else None
    title += "" if reference is None else f", exact: {number(reference)}"
    return Panel(title, difference, f"{one_line(label, 40)} {arrow}".strip(), part, reference)


def _arrow(part: pd.DataFrame) -> str:
    if not part["ranked"].iloc[0]:
        return ""
    return "↑" if part["larger_is_better"].iloc[0] else "↓"


def _draw_panel(
    axes: Axes, panel: Panel, abscissa: Abscissa, looks: Mapping[str, Look], tags: Tags
) -> None:
    points = panel.points
    if panel.before is not None:
        _draw_before(axes, panel.before, abscissa.column, looks, tags)
    lines(axes, points, abscissa.column, looks, tags)
    x = points[abscissa.column]
    log_x(axes, float(x.min()) / 1.2, float(x.max()) * 1.2)
    told = [panel.exact] if panel.exact is not None else []
    before = [] if panel.before is None else list(panel.before["value"])
    seen = pd.concat([points["value"], pd.Series([*told, *before], dtype=float)])
    log = log_axis_suits(seen)
    low, high = limits(seen, points["low"], points["high"], log)
    if log:
        log_y(axes, low, high)
    else:
        axes.set_ylim(low, high)
    if panel.exact is not None:
        axes.axhline(panel.exact, color=TEXT.light, lw=1.0, ls=(0, (1, 1.5)))
    axes.set_title(panel.title)
    axes.set_xlabel(abscissa.label)
    axes.set_ylabel(panel.label)


def _draw_before(
    axes: Axes, points: pd.DataFrame, column: str, looks: Mapping[str, Look], tags: Tags
) -> None:
    """The curves of the other run, dashed in grey with small markers of the same shape."""
    for curve, part in points.sort_values(column).groupby("curve", sort=True):
        look = looks.get(str(curve))
        (line,) = axes.plot(
            part[column],
            part["value"],
            color=MUTED.light,
            ls=(0, (2.5, 1.5)),
            lw=1.0,
            marker=look.marker if look else ".",
            ms=3.2,
            mew=0,
            zorder=1.5,
        )
        if look:
            tags.put(line, look, Part.LINE)


def _caption(panels: tuple[Panel, ...]) -> str:
    points = pd.concat([panel.points for panel in panels])
    bases = frozenset(points["interval"])
    parts = [
        "Arrows say which way is better. Solid: ODE solvers; dashes and dots: adaptive solvers, at "
        "their measured cost; dashes: stochastic samplers."
    ]
    if Interval.SEEDS in bases:
        seeds = points.loc[points["interval"].eq(Interval.SEEDS), "seeds"]
        many = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()}–{seeds.max()}"
        parts.append(f"Points are means over {many} seeds, strokes their 95% t-intervals.")
    if Interval.STD_ERROR in bases:
        parts.append(
            "Where there is one seed, strokes are 95% intervals from the metric's own standard "
            "error within the run."
        )
    if Interval.NONE in bases:
        parts.append("Points without a stroke rest on one seed and have no known error.")
    if bases - {Interval.NONE}:
        parts.append("Strokes may be cut at the frame.")
    if any(panel.before is not None for panel in panels):
        parts.append("Dashed grey, with small markers: the run that this one is compared with.")
    if any(panel.exact is not None for panel in panels):
        parts.append("Dotted lines: the exact or converged value.")
    if any(panel.difference for panel in panels):
        parts.append("Panels with letters are not comparable with one another.")
    return " ".join(parts)
