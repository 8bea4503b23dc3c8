"""Samples of points against the exact posterior of their questions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from bench.extend import Canvas, CurvePart, SubjectData, SubjectFigure, View
from bench_guided_figures.cells import Arrays, Sheet, sheets
from bench_guided_figures.margin import leave_margin

QUESTIONS, SAMPLERS, PANEL = 4, 10, 1.25
"""Columns, lines; the side of a panel in inches."""

EXACT, DRAWN, TRUTH = "#b9b9b9", "#3a86c8", "#d1495b"
"""Colours of exact samples, a sampler's and the truth, seen on white and on black."""

Points = npt.NDArray[np.float64]


def views(subject: SubjectData) -> Iterator[View]:
    """One view for each budget at which points answer observations with a known posterior."""
    for sheet in sheets(subject):
        kept = {curve: arrays for curve, arrays in sheet.kept.items() if "exact" in arrays}
        if kept:
            title = f"Samples against the exact posterior at NFE {sheet.budget:.0f}"
            shown = Sheet(sheet.budget, kept)
            yield View(partial(draw, shown), title=title, suffix=f"nfe{sheet.budget:.0f}")


def draw(sheet: Sheet, canvas: Canvas) -> str:
    """Draw a line for each sampler and a column for each question."""
    curves = [curve for curve in canvas.styles if curve in sheet.kept][:SAMPLERS]
    first = sheet.kept[curves[0]]
    numbers = list(dict.fromkeys(first["number"].tolist()))[:QUESTIONS]
    labels = [canvas.styles[curve].label for curve in curves]
    margin = 0.3 + 0.055 * min(44, max(map(len, labels)))
    figure = canvas.open(len(numbers) * PANEL + margin, len(curves) * PANEL + 0.2)
    leave_margin(figure)
    panels = figure.subplots(len(curves), len(numbers), squeeze=False)
    for j, number in enumerate(numbers):
        low, high = _window(first, j)
        for i, curve in enumerate(curves):
            axes = panels[i, j]
            artist = _draw_panel(axes, sheet.kept[curve], number, j)
            canvas.tag(artist, curve, CurvePart.MARK)
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
            if i == 0:
                axes.set_title(f"question {number}", fontsize=8)
            if j == 0:
                text = labels[i] if len(labels[i]) <= 44 else f"{labels[i][:43]}…"
                axes.set_ylabel(text, fontsize=7.5, rotation=0, ha="right", va="center")
    hidden = len(sheet.kept) - len(curves)
    more = f" {hidden} more samplers are not shown." if hidden else ""
    wide = first["exact"].shape[-1]
    of = f", the first two of {wide} coordinates" if wide > 2 else ""
    return (
        f"Columns are questions{of}: exact samples of the posterior in grey, the sampler's in "
        f"blue, what was observed as a red cross. Points outside of a window are not shown.{more}"
    )


def _draw_panel(axes: Axes, arrays: Arrays, number: int, place: int) -> Any:
    own = arrays["number"] == number
    style = {"linestyle": "none", "marker": ".", "markeredgewidth": 0, "rasterized": True}
    exact, drawn = _plane(arrays["exact"][place]), _plane(arrays["samples"][own])
    axes.plot(*exact.T, color=EXACT, markersize=3.0, **style)  # type: ignore[arg-type]
    (artist,) = axes.plot(*drawn.T, color=DRAWN, markersize=3.0, **style)  # type: ignore[arg-type]
    if "truth" in arrays:
        axes.plot(*_plane(arrays["truth"][own][:1]).T, marker="x", color=TRUTH, markersize=5)
    return artist


def _window(arrays: Arrays, place: int) -> tuple[Points, Points]:
    """The square around the exact samples of a question."""
    low, high = np.quantile(_plane(arrays["exact"][place]), (0.005, 0.995), axis=0)
    centre, half = (low + high) / 2, float(np.max(high - low)) * 0.85 or 1.0
    return centre - half, centre + half


def _plane(points: npt.NDArray[Any]) -> Points:
    """The first two coordinates; of one, the value against the sample's number."""
    flat = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    if flat.shape[1] == 1:
        return np.column_stack([flat[:, 0], np.linspace(-1.0, 1.0, len(flat))])
    return flat[:, :2]


FIGURE = SubjectFigure(
    name="posteriors", title="Samples against the exact posterior", rank=20, place=44, views=views
)
