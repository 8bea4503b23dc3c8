"""The cost of every gradient: passes and seconds of each guidance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bench.extend import Canvas, SubjectData, SubjectFigure, View
from bench_guided_figures.margin import leave_margin

MAX_LINES = 30

FORWARD, VJP = "#3a86c8", "#e07a1f"
"""Colours of evaluations and of vector-Jacobian products."""


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Passes and seconds per sample of each curve at the largest budget that most curves have.

    Args:
        rows: of a subject, see `bench.results.frame.prepare_frame`; their `nfe` includes `vjp`.

    Returns:
        By curve: `forward` and `vjp`, `ms` per sample, `ms_per_pass`, and `ratio`, the seconds of
        a VJP in those of an evaluation: NaN where there is none, or nothing without VJPs on the
        same machine tells what an evaluation takes.
    """
    cells = rows[rows["nfe"].gt(0)].drop_duplicates("key")
    cells = cells[cells["budget"].notna() & cells["wall_per_sample_s"].gt(0)]
    if cells.empty:
        return pd.DataFrame()
    counts = cells.groupby("budget")["curve"].nunique()
    budget = counts[counts.eq(counts.max())].index.max()
    vjp = cells["vjp"].fillna(0.0)
    cells = cells.assign(vjp=vjp, forward=cells["nfe"] - vjp)
    plain = cells[cells["vjp"].eq(0)]
    price = (plain["wall_per_sample_s"] / plain["forward"]).groupby(plain["hardware"]).median()
    base = cells["hardware"].map(price)
    rest = cells["wall_per_sample_s"] - base * cells["forward"]
    cells = cells.assign(
        ratio=(rest / (base * cells["vjp"])).where(cells["vjp"].gt(0)),
        ms=1e3 * cells["wall_per_sample_s"],
        ms_per_pass=1e3 * cells["wall_per_sample_s"] / cells["nfe"],
    )
    names = ["forward", "vjp", "ms", "ms_per_pass", "ratio"]
    at = cells[cells["budget"].eq(budget)].groupby("curve", sort=False)[names].mean()
    return at.assign(budget=budget)


def views(subject: SubjectData) -> Iterator[View]:
    """One view where some guidance is compared, or some gradient was taken."""
    guided = subject.rows["guidance"].nunique() > 1 or subject.rows["vjp"].gt(0).any()
    found = costs(subject.rows) if guided else pd.DataFrame()
    if len(found):
        yield View(partial(draw, found))


def draw(found: pd.DataFrame, canvas: Canvas) -> str:
    """Draw a bar for each curve in three panels: passes, time, time of a pass."""
    curves = [curve for curve in canvas.styles if curve in found.index][:MAX_LINES]
    shown = found.loc[curves]
    labels = [canvas.styles[curve].label for curve in curves]
    margin = 0.3 + 0.055 * min(44, max(map(len, labels)))
    figure = canvas.open(margin + 6.2, 0.8 + 0.2 * len(curves))
    leave_margin(figure)
    left, middle, right = figure.subplots(1, 3, sharey=True)
    places = np.arange(len(curves))
    left.barh(places, shown["forward"], color=FORWARD, label="evaluations")
    left.barh(places, shown["vjp"], left=shown["forward"], color=VJP, label="VJPs")
    left.set(xlabel="passes per sample", yticks=places)
    left.set_yticklabels([_short(label) for label in labels], fontsize=7.5)
    if shown["vjp"].gt(0).any():
        left.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    middle.barh(places, shown["ms"], color=FORWARD)
    middle.set_xlabel("ms per sample")
    right.barh(places, shown["ms_per_pass"], color=FORWARD)
    right.set_xlabel("ms per pass")
    _write_ratios(right, shown)
    left.invert_yaxis()
    hidden = len(found) - len(curves)
    more = f" {hidden} more are not shown." if hidden else ""
    return (
        f"At a budget of {found['budget'].iloc[0]:.0f} NFE, which pays for evaluations and "
        "vector-Jacobian products (VJPs) alike. Beside the bars at the right: the seconds of a VJP "
        "in those of an evaluation, where both are known from this run; the guidance's own "
        f"arithmetic is in it.{more}"
    )


def _write_ratios(axes: Axes, shown: pd.DataFrame) -> None:
    for place, (length, ratio) in enumerate(zip(shown["ms_per_pass"], shown["ratio"], strict=True)):
        if np.isfinite(ratio):
            axes.annotate(
                f"VJP = {ratio:.1f} ev.",
                (length, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    axes.margins(x=0.45)


def _short(label: str) -> str:
    return label if len(label) <= 44 else f"{label[:43]}…"


FIGURE = SubjectFigure(
    name="gradients", title="The cost of every gradient", rank=40, place=16, views=views
)
