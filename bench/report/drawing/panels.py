"""Panels of metrics against what they cost: NFE or wall-clock, one line for each sampler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from bench.extensions.figure import Canvas, CurvePart
from bench.render.labels import letters, metric_label, number, shorten_label
from bench.report.drawing.axes import fit_log_x, fit_y, suits_log
from bench.report.styles import MUTED, TEXT
from bench.results.roles import exact_partners, primary
from bench.stats.intervals import Interval

PANEL_WIDTH, PANEL_HEIGHT = 3.6, 2.75


@dataclass(frozen=True)
class Abscissa:
    """The x axis of a figure.

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
DEPTH = Abscissa("depth", "depth: evaluations in sequence", ("protocol",), "protocol")
WALL_CLOCK = Abscissa(
    "wall_per_sample_s", "sampling time per sample (s)", ("protocol", "hardware"), "conditions"
)


@dataclass(frozen=True)
class Panel:
    """One metric under one protocol.

    Attributes:
        title: of the panel.
        difference: letter of its protocol; "" where there is one.
        label: of the y axis.
        points: of the run.
        exact: the value that the metric should have; None where it is not known.
        base: points of the run to compare with; None without.
    """

    title: str
    difference: str
    label: str
    points: pd.DataFrame
    exact: float | None
    base: pd.DataFrame | None = None


def by_protocol(
    points: pd.DataFrame, abscissa: Abscissa
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Split the points of one metric: what must not be compared stands in panels of its own.

    Yields:
        Label of the metric, letter of the protocol ("" where there is one), points.
    """
    parts = [part for _, part in points.groupby(list(abscissa.apart), sort=True)]
    for letter, part in zip(letters(len(parts)), parts, strict=True):
        label = metric_label(str(part["metric"].iloc[0]), str(part["unit"].iloc[0]))
        yield shorten_label(label, 40), f"{abscissa.difference} {letter}" if letter else "", part


def panels(
    points: pd.DataFrame, abscissa: Abscissa, base: pd.DataFrame | None = None
) -> tuple[Panel, ...]:
    """Select the panels of one subject.

    Args:
        points: of the subject.
        abscissa: of the figure.
        base: points of the same subject in another run, shown where they may be compared.
    """
    drawable = points[points[abscissa.column] > 0]
    partners = exact_partners(points)
    shown = drawable[drawable["metric"].isin(primary(points))]
    found = []
    for metric, of_metric in shown.groupby("metric", sort=False):
        known = drawable.loc[drawable["metric"].eq(partners.get(str(metric), "")), "value"]
        exact = float(known.mean()) if len(known) else None
        for label, difference, part in by_protocol(of_metric, abscissa):
            arrow = _arrow(part) if exact is None else "→ exact"
            title = label + (f", {difference}" if difference else "")
            title += "" if exact is None else f", exact: {number(exact)}"
            comparable = _comparable(base, part, abscissa)
            axis = f"{label} {arrow}".strip()
            found.append(Panel(title, difference, axis, part, exact, comparable))
    return tuple(found)


def _comparable(
    base: pd.DataFrame | None, part: pd.DataFrame, abscissa: Abscissa
) -> pd.DataFrame | None:
    """Select the points of the other run that may stand beside those of a panel."""
    if base is None:
        return None
    keep = base[abscissa.column] > 0
    for name in ("metric", *abscissa.apart):
        keep &= base[name].eq(part[name].iloc[0])
    return base[keep] if keep.any() else None


def _arrow(part: pd.DataFrame) -> str:
    if not part["ranked"].iloc[0]:
        return ""
    return "↑" if part["larger_is_better"].iloc[0] else "↓"


def draw_panels(panels: tuple[Panel, ...], abscissa: Abscissa, canvas: Canvas) -> str:
    """Draw panels two in a row, with one legend for all of them."""
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    curves = {str(curve) for panel in panels for curve in panel.points["curve"]}
    figure = canvas.open(columns * PANEL_WIDTH, rows * PANEL_HEIGHT + 0.1, curves)
    for i, panel in enumerate(panels):
        _draw_panel(figure.add_subplot(rows, columns, i + 1), panel, abscissa, canvas)
    return " ".join(_caption(panels))


def draw_curves(axes: Axes, points: pd.DataFrame, column: str, canvas: Canvas) -> None:
    """Draw all curves of a panel, with the intervals as thin upright strokes."""
    for curve, part in points.sort_values(column).groupby("curve", sort=True):
        canvas.curve(axes, str(curve), part, column)


def _draw_panel(axes: Axes, panel: Panel, abscissa: Abscissa, canvas: Canvas) -> None:
    points = panel.points
    seen = [points["value"]]
    if panel.base is not None:
        _draw_base(axes, panel.base, abscissa.column, canvas)
        seen.append(panel.base["value"])
    if panel.exact is not None:
        seen.append(pd.Series([panel.exact]))
    draw_curves(axes, points, abscissa.column, canvas)
    fit_log_x(axes, points[abscissa.column])
    values = pd.concat(seen)
    fit_y(axes, values, points["low"], points["high"], suits_log(values))
    if panel.exact is not None:
        axes.axhline(panel.exact, color=TEXT.light, lw=1.0, ls=(0, (1, 1.5)))
    axes.set(title=panel.title, xlabel=abscissa.label, ylabel=panel.label)


def _draw_base(axes: Axes, points: pd.DataFrame, column: str, canvas: Canvas) -> None:
    """Draw the curves of the other run, dashed in grey with small markers of the same shape."""
    for curve, part in points.sort_values(column).groupby("curve", sort=True):
        style = canvas.styles.get(str(curve))
        (line,) = axes.plot(
            part[column],
            part["value"],
            color=MUTED.light,
            ls=(0, (2.5, 1.5)),
            lw=1.0,
            marker=style.marker if style else ".",
            ms=3.2,
            mew=0,
            zorder=1.5,
        )
        if style:
            canvas.tag(line, str(curve), CurvePart.LINE)


def _caption(panels: Iterable[Panel]) -> Iterator[str]:
    shown = list(panels)
    points = pd.concat([panel.points for panel in shown])
    bases = frozenset(points["interval"])
    yield (
        "Arrows say which way is better. Solid: ODE solvers; dashes and dots: adaptive solvers, at "
        "their measured cost; dashes: stochastic samplers."
    )
    if Interval.SEEDS in bases:
        seeds = points.loc[points["interval"].eq(Interval.SEEDS), "seeds"]
        many = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()}–{seeds.max()}"
        yield f"Points are means over {many} seeds, strokes their 95% t-intervals."
    if Interval.STD_ERROR in bases:
        yield (
            "Where there is one seed, strokes are 95% intervals from the metric's own standard "
            "error within the run."
        )
    if Interval.NONE in bases:
        yield "Points without a stroke rest on one seed and have no known error."
    if bases - {Interval.NONE}:
        yield "Strokes may be cut at the frame."
    if any(panel.base is not None for panel in shown):
        yield "Dashed grey, with small markers: the run that this one is compared with."
    if any(panel.exact is not None for panel in shown):
        yield "Dotted lines: the exact or converged value."
    if any(panel.difference for panel in shown):
        yield "Panels with letters are not comparable with one another."
