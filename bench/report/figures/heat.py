"""Heat maps of solvers by corrector, by guidance and by grid, one panel for each budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from bench.extensions.data import SubjectData
from bench.extensions.figure import Canvas, SubjectFigure, View
from bench.render.labels import metric_label, number, shorten_label, tick
from bench.report.drawing.axes import suits_log
from bench.report.styles import MUTED
from bench.results.roles import errors

MAX_BUDGETS, MAX_METRICS, MAX_LINES = 3, 2, 40

CAPTION = (
    "One panel for each budget, lighter is better; all panels of a metric share their colours. "
    "Figures are means over seeds; a field without one has no usable value."
)


@dataclass(frozen=True)
class Sheet:
    """One metric at several budgets.

    Attributes:
        label: of the metric, with its direction.
        panels: of each budget the values, lines by columns.
        larger_is_better: the direction.
    """

    label: str
    panels: tuple[tuple[str, pd.DataFrame], ...]
    larger_is_better: bool


def sheets(means: pd.DataFrame, parts: pd.DataFrame, lines: str, columns: str) -> tuple[Sheet, ...]:
    """Select the sheets of one subject; none where there are no two columns to compare.

    Args:
        means: the subject's points.
        parts: what each curve is made of, by curve (see `bench.results.frame.prepare_frame`).
        lines, columns: of `parts`, what lines and columns of the panels are.
    """
    fixed = means[means["budget"].notna() & means["ranked"] & means["protocol"].eq(0)]
    named = fixed.merge(parts, on="curve")
    # lines with a value in one column alone have nothing to compare
    several = named.groupby(lines)[columns].transform("nunique").gt(1)
    shown = named[several]
    if shown.empty or shown[columns].nunique() < 2:
        return ()
    every = list(shown["metric"].unique())
    distances = errors(shown)
    first = [name for name in every if name not in distances][:1]
    metrics = (first + [name for name in every if name in distances])[:MAX_METRICS]
    return tuple(_sheet(shown[shown["metric"].eq(m)], lines, columns) for m in metrics)


def _sheet(points: pd.DataFrame, lines: str, columns: str) -> Sheet:
    budgets = sorted(points["budget"].unique())
    picks = np.unique(np.linspace(0, len(budgets) - 1, MAX_BUDGETS).round().astype(int))
    names = sorted(points[lines].unique())[:MAX_LINES]
    heads = sorted(points[columns].unique())[:MAX_LINES]
    panels = []
    for budget in (budgets[i] for i in picks):
        at = points[points["budget"].eq(budget)]
        table = at.pivot_table("value", lines, columns, aggfunc="mean", observed=True)
        panels.append((f"NFE ≤ {tick(budget)}", table.reindex(index=names, columns=heads)))
    larger = bool(points["larger_is_better"].iloc[0])
    label = metric_label(str(points["metric"].iloc[0]), str(points["unit"].iloc[0]))
    return Sheet(f"{shorten_label(label, 40)} {'↑' if larger else '↓'}", tuple(panels), larger)


def views(subject: SubjectData) -> Iterator[View]:
    """Select predictors by correctors, and solvers by guidance and by grids."""
    parts = subject.rows[
        ["curve", "base", "sampler", "unguided", "with_corrector", "with_guidance", "on_grid"]
    ]
    for lines, columns, title, suffix in (
        ("base", "with_corrector", "Predictor by corrector", "corrector"),
        ("unguided", "with_guidance", "Solver by guidance", "guidance"),
        ("sampler", "on_grid", "Solver by time grid", "grid"),
    ):
        shown = sheets(subject.points, parts.drop_duplicates(), lines, columns)
        if shown:
            yield View(partial(draw, shown), title=title, suffix=suffix)


def draw(shown: tuple[Sheet, ...], canvas: Canvas) -> str:
    """Draw the sheets, one under another."""
    first = shown[0].panels[0][1]
    most = max(len(sheet.panels) for sheet in shown)
    margin = 0.3 + 0.066 * max(len(_name(line)) for line in first.index)
    foot = 0.35 + 0.05 * max(len(_name(head)) for head in first.columns)
    width = margin + most * max(1.3, 0.44 * len(first.columns) + 0.15)
    height = 0.28 * len(first) + foot + 0.45
    figure = canvas.open(width, height * len(shown))
    rows = figure.subfigures(len(shown), 1, squeeze=False)[:, 0]
    for sheet, row in zip(shown, rows, strict=True):
        _draw_sheet(row, sheet, most)
    return CAPTION


def _draw_sheet(row: Figure, sheet: Sheet, count: int) -> None:
    every = np.concatenate([t.to_numpy(dtype=float).ravel() for _, t in sheet.panels])
    values = pd.Series(every[np.isfinite(every)])
    log = suits_log(values)
    scale = LogNorm if log else Normalize
    low, high = float(values.min()), float(values.max())
    norm = scale(low, high if high > low else low + (abs(low) or 1.0))
    for i, (budget, table) in enumerate(sheet.panels):
        axes = row.add_subplot(1, count, i + 1)
        _draw_panel(axes, table, norm, sheet.larger_is_better)
        axes.set_title(budget, fontsize=8.5)
        if i:
            axes.set_yticklabels([])
    row.suptitle(sheet.label, fontsize=9.5, fontweight="bold", x=0.01, ha="left")


def _draw_panel(axes: Axes, table: pd.DataFrame, norm: Normalize, larger: bool) -> None:
    # Here, because it takes two seconds to import, and not every report has such a figure.
    import seaborn

    seaborn.heatmap(
        table.astype(float),
        norm=norm,
        # cividis is made for colour-blind eyes and falls evenly in grey
        cmap="cividis" if larger else "cividis_r",
        annot=table.map(_short),
        fmt="",
        annot_kws={"fontsize": 6.5},
        cbar=False,
        xticklabels=False,
        yticklabels=False,
        ax=axes,
    )
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    _ticks(axes, table)
    for x, y in np.argwhere(table.isna().to_numpy().T):
        middle = (x + 0.5, y + 0.5)
        axes.annotate("–", middle, ha="center", va="center", fontsize=6.5, color=MUTED.light)


def _ticks(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_xticks(np.arange(len(table.columns)) + 0.5, [_name(n) for n in table.columns])
    axes.set_yticks(np.arange(len(table)) + 0.5, [_name(n) for n in table.index])
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="right", rotation_mode="anchor", fontsize=7.5)


def _short(value: float) -> str:
    text = f"{value:.3g}"
    return number(value) if len(text) <= 4 and "e" not in text else text.replace("e-0", "e-")


def _name(name: object) -> str:
    return shorten_label(str(name), 34)


FIGURE = SubjectFigure(name="heat", title="Heat maps", rank=30, views=views)
