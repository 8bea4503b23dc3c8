"""Work-precision diagrams: the error of solvers against NFE, with the measured order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bench.extensions.data import SubjectData
from bench.extensions.figure import Canvas, CurvePart, SubjectFigure, View
from bench.render.labels import metric_label, number
from bench.report.data.orders import ErrorFit, error_fits
from bench.report.drawing.axes import fit_log_x, fit_y
from bench.report.drawing.panels import draw_curves
from bench.report.styles import MUTED, PAPER
from bench.stats.orders import falling

CAPTION = (
    "The solver's own error: against the converged solution from the same noise (rmse), or against "
    "the converged or exact likelihood at the same points. The number in the legend is the "
    "measured order: minus the slope of log error against log evaluations, by least squares over "
    "filled markers, ± its standard error. The fit leaves out the final denoise, points "
    "where the error does not fall, and points less than three times above {floor}, where "
    "rounding or the reference's own accuracy shows. Hollow markers are not in the fit. Grey: "
    "slopes of order 1, 2 and 3."
)


def views(subject: SubjectData) -> Iterator[View]:
    """Select a view for each error under each protocol."""
    for i, fit in enumerate(error_fits(subject.points)):
        if (fit.points["value"].gt(0) & fit.points["nfe"].gt(0)).any():
            yield View(partial(draw, fit), suffix=f"{i + 1}" if i else "")


def draw(fit: ErrorFit, canvas: Canvas) -> str:
    """Draw one error of one subject, in log-log; errors below the level say nothing."""
    shown = fit.points[(fit.points["value"] > 0) & (fit.points["nfe"] > 0)]
    texts = {order.curve: f":  {order.text}" for order in fit.orders}
    axes = canvas.open(5.6, 4.2, map(str, shown["curve"]), texts).add_subplot()
    fit_log_x(axes, shown["nfe"])
    fit_y(axes, shown["value"], shown["low"], shown["high"], log=True)
    _draw_guides(axes)
    draw_curves(axes, shown, "nfe", canvas)
    for curve, part in shown.groupby("curve", sort=True):
        _draw_hollow(axes, str(curve), part, fit.level, canvas)
    label = metric_label(str(shown["metric"].iloc[0]), str(shown["unit"].iloc[0]))
    axes.set(xlabel="NFE per sample (measured)", ylabel=f"{label} ↓")
    return CAPTION.format(floor=number(fit.level))


def _draw_hollow(axes: Axes, curve: str, part: pd.DataFrame, level: float, canvas: Canvas) -> None:
    """Mark the points that the fit leaves out."""
    ordered = part.sort_values("evaluations")
    left_out = ordered[~falling(ordered["value"].to_numpy(dtype=float), level)]
    if left_out.empty:
        return
    style = canvas.styles[curve]
    (marks,) = axes.plot(
        left_out["nfe"],
        left_out["value"],
        linestyle="none",
        marker=style.marker,
        markerfacecolor=PAPER.light,
        markeredgecolor=style.color,
        zorder=3,
    )
    canvas.tag(marks, curve, CurvePart.MARK, left_out)


def _draw_guides(axes: Axes) -> None:
    """Draw straight lines of order 1, 2 and 3 from the upper left corner."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for order in (1, 2, 3):
        # a guide ends where it leaves the frame; its label stands just inside
        end = min(right, left * (top / bottom) ** (1.0 / order))
        x = np.array([left, end])
        axes.plot(
            x, top * (x / left) ** -order, color=MUTED.light, lw=0.7, ls=(0, (1, 2)), zorder=1
        )
        at = left * (end / left) ** 0.97
        axes.annotate(
            f"order {order}",
            (at, top * (at / left) ** -order),
            ha="right",
            va="center",
            fontsize=7.5,
            color=MUTED.light,
            bbox={"boxstyle": "square,pad=0.15", "facecolor": PAPER.light, "edgecolor": "none"},
            zorder=1.5,
        )


FIGURE = SubjectFigure(
    name="order",
    title="Solver error versus NFE, with measured orders",
    rank=20,
    views=views,
)
