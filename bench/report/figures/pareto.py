"""Pareto fronts of quality against NFE and against sampling time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from bench.extensions.data import SubjectData
from bench.extensions.figure import Canvas, CurvePart, SubjectFigure, View
from bench.report.data.fronts import pareto_front
from bench.report.drawing.axes import fit_log_x, fit_y, suits_log
from bench.report.drawing.panels import (
    NFE,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    WALL_CLOCK,
    Abscissa,
    by_protocol,
)
from bench.report.styles import MUTED, TEXT
from bench.results.roles import errors

MAX_METRICS = 3
"""Metrics that a figure shows, those that the table has first."""

CAPTION = (
    "Points joined by the stepped line are not dominated: no other mean is at least as good for no "
    "more cost, and better in one of the two. Small grey points are. Means alone decide; read the "
    "curves for their intervals. Points over their budget stand at what they cost."
)


@dataclass(frozen=True)
class Front:
    """One metric against one cost."""

    abscissa: Abscissa
    label: str
    title: str
    points: pd.DataFrame

    @property
    def best(self) -> pd.DataFrame:
        """The points on the front, by increasing cost."""
        cost = self.points[self.abscissa.column].to_numpy(dtype=float)
        return self.points.iloc[pareto_front(cost, self.points["rank"].to_numpy(dtype=float))]


def fronts(points: pd.DataFrame, timed: pd.DataFrame) -> tuple[Front, ...]:
    """Select the fronts of one subject, row by row.

    Args:
        points: of the subject.
        timed: the same, with hardware kept apart.
    """
    every = list(points.loc[points["ranked"], "metric"].unique())
    distances = errors(points)
    metrics = [name for name in every if name not in distances][:MAX_METRICS]
    return tuple(
        front
        for metric in metrics
        for part, abscissa in ((points, NFE), (timed, WALL_CLOCK))
        for front in _fronts(part[part["metric"].eq(metric)], abscissa)
    )


def _fronts(points: pd.DataFrame, abscissa: Abscissa) -> Iterator[Front]:
    drawable = points[(points[abscissa.column] > 0) & points["ranked"]]
    for label, difference, part in by_protocol(drawable, abscissa):
        if len(part) > 1:
            title = label + (f", {difference}" if difference else "")
            arrow = "↑" if part["larger_is_better"].iloc[0] else "↓"
            yield Front(abscissa, f"{label} {arrow}", title, part)


def views(subject: SubjectData) -> Iterator[View]:
    """Select the fronts of a subject."""
    shown = fronts(subject.points, subject.timed)
    if shown:
        yield View(partial(draw, shown))


def draw(shown: tuple[Front, ...], canvas: Canvas) -> str:
    """Draw the fronts, two in a row; the legend names the samplers on any of them."""
    members = {str(curve) for front in shown for curve in front.best["curve"]}
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    figure = canvas.open(columns * PANEL_WIDTH, rows * PANEL_HEIGHT + 0.1, members)
    for i, front in enumerate(shown):
        _draw_front(figure.add_subplot(rows, columns, i + 1), front, canvas)
    return CAPTION


def _draw_front(axes: Axes, front: Front, canvas: Canvas) -> None:
    points, column, best = front.points, front.abscissa.column, front.best
    nothing = pd.Series(dtype=float)
    rest = points[~points.index.isin(best.index)]
    axes.plot(rest[column], rest["value"], ls="none", marker=".", ms=3.5, mew=0, c=MUTED.light)
    fit_log_x(axes, points[column])
    fit_y(axes, best["value"], nothing, nothing, suits_log(points["value"]))
    axes.step(best[column], best["value"], where="post", color=TEXT.light, lw=0.9)
    for curve, part in best.groupby("curve", sort=True):
        style = canvas.styles[str(curve)]
        (marks,) = axes.plot(
            part[column],
            part["value"],
            ls="none",
            c=style.color,
            marker=style.marker,
            ms=6.5,
            mew=0,
        )
        canvas.tag(marks, str(curve), CurvePart.MARK, part)
    axes.set(title=front.title, xlabel=front.abscissa.label, ylabel=front.label)


FIGURE = SubjectFigure(
    name="pareto", title="Pareto fronts of quality and cost", rank=10, views=views
)
