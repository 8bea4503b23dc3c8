"""Samples of every sampler at every budget, all from the same noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from bench.extensions.data import SubjectData
from bench.extensions.figure import Canvas, SubjectFigure, View
from bench.render.labels import shorten_label, tick
from bench.report.drawing.sample_layout import COLUMNS, GridCell, SampleGrid, sample_grid
from bench.report.drawing.sample_tiles import (
    CELL_WIDTH,
    Array,
    Clouds,
    Painter,
    Pictures,
    outline,
    tile_frame,
)
from bench.report.styles import MUTED
from bench.results import array_file

HEAD_HEIGHT = 0.3
"""Of the line with the budgets, in inches."""


def views(subject: SubjectData) -> Iterator[View]:
    """Select the cells; whether there are samples is seen when they are drawn."""
    cells = subject.rows[[*COLUMNS, "status"]].drop_duplicates(["key", "status"])
    yield View(partial(draw, cells, subject.samples, subject.images))


def draw(rows: pd.DataFrame, folder: Path, images: int, canvas: Canvas) -> str | None:
    """Draw the samples of one subject; None where it kept none.

    Args:
        rows: of the subject.
        folder: of the samples.
        images: how many images the figure may hold.
        canvas: to draw on.
    """
    grid = sample_grid(rows, canvas.styles)
    if grid is None:
        return None
    found = {cell: read_samples(folder, cell.key) for cell in grid.cells}
    samples = {cell: array for cell, array in found.items() if array is not None}
    first = next(iter(samples.values()), None)
    if first is None:
        return None
    alike = {c: a for c, a in samples.items() if a.shape[1:] == first.shape[1:]}
    painter = Pictures.of(alike, images) if first.ndim == 4 else Clouds.of(alike)
    statuses = _statuses(rows)
    empty = {c: statuses.get(c.key, "no samples") for c in grid.cells if c not in alike}
    _draw_grid(grid, painter, empty, canvas)
    return _caption(grid, painter)


def read_samples(folder: Path, key: str) -> Array | None:
    """Read the samples of a cell; None where there are none or the file is damaged.

    The page names damaged ones.
    """
    array = array_file.read_kept(folder.parent, key).get("samples")
    return array if array is not None and len(array) else None


def _draw_grid(
    grid: SampleGrid, painter: Painter, empty: Mapping[GridCell, str], canvas: Canvas
) -> None:
    labels = [
        _row_label(grid, row, canvas.styles[curve].label) for row, curve in enumerate(grid.curves)
    ]
    margin = 0.25 + 0.068 * max(len(line) for label in labels for line in label.split("\n"))
    rows, columns = len(labels), len(grid.budgets)
    width, height = columns * CELL_WIDTH + margin, rows * painter.height + HEAD_HEIGHT
    figure = canvas.open(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((margin / width, 0.0, 1 - margin / width, 1 - HEAD_HEIGHT / height))
    axes.set_axis_off()
    for cell in grid.cells:
        if cell in empty:
            _paint_empty(axes, cell, empty[cell])
        else:
            painter.paint(axes, cell)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    _write_labels(axes, labels, grid.budgets)


def _caption(grid: SampleGrid, painter: Painter) -> str:
    caption = f"{painter.caption} All from the same noise (seed {grid.seed}); columns are budgets."
    if any(cell.adaptive for cell in grid.cells):
        caption += (
            " Adaptive solvers have no budget: each field is the run nearest to the column, and "
            "the measured NFE of the fields stand under the name."
        )
    if grid.hidden:
        caption += f" {grid.hidden} more samplers are not shown."
    return caption


def _paint_empty(axes: Axes, cell: GridCell, reason: str) -> None:
    left, right, bottom, top = tile_frame(cell)
    axes.add_patch(outline(cell))
    middle = ((left + right) / 2, (bottom + top) / 2)
    axes.annotate(reason, middle, ha="center", va="center", fontsize=7.5, color=MUTED.light)


def _row_label(grid: SampleGrid, row: int, name: str) -> str:
    """Name the sampler; an adaptive one with the measured NFE of its tiles."""
    cells = sorted((c.column, c.nfe) for c in grid.cells if c.row == row and c.adaptive)
    spent = ", ".join(f"{nfe:.0f}" for _, nfe in cells)
    return f"{shorten_label(name, 44)}\nNFE {spent}" if spent else shorten_label(name, 44)


def _write_labels(axes: Axes, labels: Sequence[str], budgets: Sequence[float]) -> None:
    for row, label in enumerate(labels):
        axes.annotate(
            label,
            (0, row + 0.5),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    for column, budget in enumerate(budgets):
        axes.annotate(
            f"NFE {tick(budget)}",
            (column + 0.5, 0),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )


def _statuses(frame: pd.DataFrame) -> Mapping[str, str]:
    """Return the first status of each cell that is not ok."""
    failed = frame[frame["status"].ne("ok")].drop_duplicates("key")
    return dict(zip(failed["key"], failed["status"], strict=True))


FIGURE = SubjectFigure(name="samples", title="Samples from the same noise", rank=50, views=views)
