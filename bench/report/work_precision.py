"""Work-precision diagrams: a solver's error against NFE, with the measured order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bench.render.labels import metric_label, number
from bench.report.axes import legend, legend_height, legend_width, limits, log_x, log_y
from bench.report.canvas import Sketch, blank
from bench.report.curves import lines
from bench.report.looks import MUTED, PAPER, Look
from bench.report.order import Order
from bench.report.svg import Part, Tags, place
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


def draw(
    points: pd.DataFrame,
    level: float,
    orders: tuple[Order, ...],
    looks: Mapping[str, Look],
    title: str,
    name: str,
) -> Sketch:
    """Draw one error metric of one subject, in log-log; errors below `level` say nothing."""
    shown = points[(points["value"] > 0) & (points["nfe"] > 0)]
    curves = sorted(shown["curve"].unique())
    members = [looks[curve] for curve in curves]
    texts = {looks[order.curve].label: f":  {order.text}" for order in orders}
    size = 5.6 + legend_width(members, texts), max(4.2, legend_height(members))
    figure, tags = blank(*size), Tags()
    axes = figure.add_subplot()
    x, y = shown["nfe"], shown["value"]
    log_x(axes, float(x.min()) / 1.2, float(x.max()) * 1.2)
    log_y(axes, *limits(y, shown["low"], shown["high"], log=True))
    _guides(axes)
    lines(axes, shown, "nfe", looks, tags)
    for curve, part in shown.groupby("curve", sort=True):
        _hollow(axes, part, level, looks[str(curve)], tags)
    axes.set_xlabel("NFE per sample (measured)")
    axes.set_ylabel(f"{metric_label(str(shown['metric'].iloc[0]), str(shown['unit'].iloc[0]))} ↓")
    legend(figure, members, texts, tags)
    return Sketch(figure, name, title, CAPTION.format(floor=number(level)), tags)


def _hollow(axes: Axes, part: pd.DataFrame, level: float, look: Look, tags: Tags) -> None:
    """Mark the points that the fit leaves out."""
    ordered = part.sort_values("evaluations")
    left_out = ordered[~falling(ordered["value"].to_numpy(dtype=float), level)]
    if left_out.empty:
        return
    (marks,) = axes.plot(
        left_out["nfe"],
        left_out["value"],
        linestyle="none",
        marker=look.marker,
        markerfacecolor=PAPER.light,
        markeredgecolor=look.color,
        zorder=3,
    )
    places = [place(*at) for at in zip(left_out["budget"], left_out["nfe"], strict=True)]
    tags.put(marks, look, Part.MARK, places)


def _guides(axes: Axes) -> None:
    """Straight lines of order 1, 2 and 3 from the upper left corner."""
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
