"""The Pareto front: the points that no other beats in quality and cost at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from bench.render.labels import letters, metric_label, one_line
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
from bench.report.curves import NFE, PANEL_HEIGHT, PANEL_WIDTH, WALL_CLOCK, Abscissa
from bench.report.looks import MUTED, TEXT, Look
from bench.report.svg import Part, Tags, place
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


def undominated(cost: npt.NDArray[np.float64], rank: npt.NDArray[np.float64]) -> list[int]:
    """The places of the points that no other beats, by increasing cost.

    Args:
        cost: of each point, the less the better.
        rank: of each point, the less the better.
    """
    chosen: list[int] = []
    for i in np.lexsort((rank, cost)):
        if not chosen or rank[i] < rank[chosen[-1]]:
            chosen.append(int(i))
    return chosen


def fronts(means: pd.DataFrame, timed: pd.DataFrame) -> tuple[Front, ...]:
    """What a subject's figure shows, row by row.

    Args:
        means: the subject's points.
        timed: the same, with hardware kept apart.
    """
    every = list(means.loc[means["ranked"], "metric"].unique())
    distances = errors(means)
    metrics = [name for name in every if name not in distances][:MAX_METRICS]
    return tuple(
        front
        for metric in metrics
        for points, abscissa in ((means, NFE), (timed, WALL_CLOCK))
        for front in _fronts(points[points["metric"].eq(metric)], abscissa)
    )


def _fronts(points: pd.DataFrame, abscissa: Abscissa) -> list[Front]:
    drawable = points[(points[abscissa.column] > 0) & points["ranked"]]
    parts = [part for _, part in drawable.groupby(list(abscissa.apart), sort=True)]
    found = []
    for letter, part in zip(letters(len(parts)), parts, strict=True):
        label = one_line(metric_label(str(part["metric"].iloc[0]), str(part["unit"].iloc[0])), 40)
        title = label + (f", {abscissa.difference} {letter}" if letter else "")
        arrow = "↑" if part["larger_is_better"].iloc[0] else "↓"
        found.append(Front(abscissa, f"{label} {arrow}", title, part))
    return [front for front in found if len(front.points) > 1]


def draw(shown: tuple[Front, ...], looks: Mapping[str, Look], title: str, name: str) -> Sketch:
    """Draw the fronts, two in a row; the legend names the samplers on any of them."""
    chosen = [_front(front) for front in shown]
    members = [looks[c] for c in sorted({str(c) for part in chosen for c in part["curve"]})]
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    height = max(rows * PANEL_HEIGHT + 0.1, legend_height(members))
    figure, tags = blank(columns * PANEL_WIDTH + legend_width(members, {}), height), Tags()
    for i, (front, best) in enumerate(zip(shown, chosen, strict=True)):
        _draw(figure.add_subplot(rows, columns, i + 1), front, best, looks, tags)
    legend(figure, members, {}, tags)
    return Sketch(figure, name, title, CAPTION, tags)


def _front(front: Front) -> pd.DataFrame:
    cost = front.points[front.abscissa.column].to_numpy(dtype=float)
    return front.points.iloc[undominated(cost, front.points["rank"].to_numpy(dtype=float))]


def _draw(
    axes: Axes, front: Front, best: pd.DataFrame, looks: Mapping[str, Look], tags: Tags
) -> None:
    points, column = front.points, front.abscissa.column
    x, nothing = points[column], pd.Series(dtype=float)
    rest = points[~points.index.isin(best.index)]
    axes.plot(rest[column], rest["value"], ls="none", marker=".", ms=3.5, mew=0, c=MUTED.light)
    log_x(axes, float(x.min()) / 1.2, float(x.max()) * 1.2)
    log = log_axis_suits(points["value"])
    low, high = limits(best["value"], nothing, nothing, log)
    if log:
        log_y(axes, low, high)
    else:
        axes.set_ylim(low, high)
    axes.step(best[column], best["value"], where="post", color=TEXT.light, lw=0.9)
    for curve, part in best.groupby("curve", sort=True):
        look = looks[str(curve)]
        (marks,) = axes.plot(
            part[column], part["value"], ls="none", c=look.color, marker=look.marker, ms=6.5, mew=0
        )
        at = zip(part["budget"], part["nfe"], strict=True)
        tags.put(marks, look, Part.MARK, [place(*point) for point in at])
    axes.set_title(front.title)
    axes.set_xlabel(front.abscissa.label)
    axes.set_ylabel(front.label)


def marked(means: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The points with a column for each cost that says whether a point is on the front.

    Args:
        means: of all subjects.
        keys: what keeps fronts apart: subject, metric and protocol.
    """
    told = means.assign(front_nfe=False, front_wall_clock=False)
    ranked = means[means["ranked"]]
    for name, column in (("front_nfe", "nfe"), ("front_wall_clock", "wall_per_sample_s")):
        for _, part in ranked[ranked[column] > 0].groupby(keys, dropna=False, sort=False):
            cost = part[column].to_numpy(dtype=float)
            best = undominated(cost, part["rank"].to_numpy(dtype=float))
            told.loc[part.index[best], name] = True
    return told
