"""What came out: samples of every sampler at every budget, all from the same noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bench.report.canvas import Drawing, blank, save
from bench.report.looks import LINE, MUTED, TEXT, Look
from bench.report.text import one_line, tick

MAX_ROWS, MAX_COLUMNS = 30, 8
IMAGES_PER_REPORT = 1500
"""Images of 28 x 28 pixels that a page has room for; larger ones count by their pixels."""

POINTS_PER_CELL = 400
CELL_WIDTH, CELL_HEIGHT, LABEL_WIDTH, HEAD_HEIGHT = 1.05, 0.62, 2.7, 0.3
SQUARE_HEIGHT = 1.05
GAP = 0.05

Array = npt.NDArray[np.generic]
Reader = Callable[[str], Array | None]


@dataclass(frozen=True)
class Cell:
    """One field of the grid: samples, or why there are none."""

    row: int
    column: int
    key: str
    note: str


@dataclass(frozen=True)
class Layout:
    """Which cell stands where, and what is left out."""

    curves: tuple[str, ...]
    budgets: tuple[float, ...]
    cells: tuple[Cell, ...]
    seed: int
    hidden: int


@dataclass(frozen=True)
class Folder:
    """The samples that a run kept."""

    path: Path

    def read(self, key: str) -> Array | None:
        """The samples of a cell; None where there are none or the file is damaged."""
        try:
            array = np.load(self.path / f"{key}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return array if len(array) else None


def layout(frame: pd.DataFrame) -> Layout | None:
    """The grid of one subject, for its lowest seed; None where nothing ran.

    Adaptive solvers have no budget: each of their cells goes to the column whose budget is nearest
    to its measured NFE, and says that NFE.
    """
    seed = frame["seed"].min()
    cells = frame[frame["seed"].eq(seed)].drop_duplicates("key")
    every = sorted(cells["budget"].dropna().unique()) or sorted(
        cells["nfe"].dropna().round().unique()
    )
    if not every:
        return None
    budgets = _spread(every, MAX_COLUMNS)
    names = sorted(cells["curve"].unique())
    curves = tuple(names[:MAX_ROWS])
    rows = {curve: i for i, curve in enumerate(curves)}
    placed: dict[tuple[int, int], tuple[float, Cell]] = {}
    for cell in cells[cells["curve"].isin(curves)].to_dict("records"):
        column, distance = _column(float(cell["budget"]), float(cell["nfe"]), budgets)
        if column is None:
            continue
        note = f"NFE {cell['nfe']:.0f}" if math.isnan(cell["budget"]) else ""
        field = Cell(rows[str(cell["curve"])], column, str(cell["key"]), note)
        at = (field.row, field.column)
        if at not in placed or distance < placed[at][0]:
            placed[at] = (distance, field)
    chosen = tuple(field for _, field in placed.values())
    return Layout(curves, tuple(budgets), chosen, int(seed), len(names) - len(curves))


def draw(
    frame: pd.DataFrame,
    read: Reader,
    looks: Mapping[str, Look],
    title: str,
    folder: Path,
    name: str,
    images: int,
) -> Drawing | None:
    """Draw the samples of one subject; None where it kept none.

    Args:
        frame: the rows of the subject.
        read: gives the samples of a cell by its key.
        looks: of all curves.
        title: of the figure.
        folder: where the files go.
        name: their stem.
        images: how many images the figure may hold.
    """
    grid = layout(frame)
    if grid is None:
        return None
    found = {cell: read(cell.key) for cell in grid.cells}
    samples = {cell: array for cell, array in found.items() if array is not None}
    first = next(iter(samples.values()), None)
    if first is None:
        return None
    alike = {c: a for c, a in samples.items() if a.shape[1:] == first.shape[1:]}
    painted = _Pictures(alike, images) if first.ndim == 4 else _Clouds(alike)
    return _draw(grid, painted, _statuses(frame), looks, title, folder, name)


class _Pictures:
    """Fields of images, in strips of two rows."""

    def __init__(self, samples: Mapping[Cell, Array], images: int) -> None:
        shape = next(iter(samples.values())).shape
        fit = int(images * 784 / math.prod(shape[1:])) // len(samples)
        self.count = min(8, max(2, fit - fit % 2), *(len(array) for array in samples.values()))
        self.columns = -(-self.count // 2)
        self.samples = samples
        aspect = shape[2] / shape[3]
        self.height = CELL_WIDTH * min(2, self.count) / self.columns * aspect
        self.caption = f"The first {self.count} samples of each cell, as the metrics saw them."

    def paint(self, axes: Axes, cell: Cell) -> None:
        """Put a cell's images into its field."""
        array = np.asarray(self.samples[cell][: self.count])
        tiles = [np.moveaxis(image, 0, -1) for image in array]
        tiles += [np.zeros_like(tiles[0])] * (self.columns * min(2, self.count) - self.count)
        strips = [
            np.concatenate(tiles[i : i + self.columns], axis=1)
            for i in range(0, len(tiles), self.columns)
        ]
        picture = np.concatenate(strips, axis=0)
        shown = picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3]
        left, right, bottom, top = _frame(cell)
        axes.imshow(
            shown, cmap="gray", vmin=0, vmax=255, extent=(left, right, top, bottom), aspect="auto"
        )


class _Clouds:
    """Fields of points, all in the same window."""

    def __init__(self, samples: Mapping[Cell, Array]) -> None:
        self.samples = {cell: _plane(array[:POINTS_PER_CELL]) for cell, array in samples.items()}
        every = np.concatenate([p[np.isfinite(p).all(axis=1)] for p in self.samples.values()])
        # quartiles ignore what a diverging solver throws far out
        low, middle, high = np.quantile(every, (0.25, 0.5, 0.75), axis=0)
        half = float(np.max(high - low)) * 1.6 or 1.0
        self.low, self.high = middle - half, middle + half
        self.height = SQUARE_HEIGHT
        dimensions = next(iter(samples.values())).shape[1]
        of = "" if dimensions == 2 else f", of {dimensions} coordinates the first two"
        self.caption = (
            f"Up to {POINTS_PER_CELL} samples of each cell{of}; all fields show the same window, "
            "points outside of it are not shown."
        )

    def paint(self, axes: Axes, cell: Cell) -> None:
        """Put a cell's points into its field."""
        points = self.samples[cell]
        inside = ((points > self.low) & (points < self.high)).all(axis=1)
        unit = (points[inside] - self.low) / (self.high - self.low)
        left, right, bottom, top = _frame(cell)
        axes.plot(
            left + unit[:, 0] * (right - left),
            top + unit[:, 1] * (bottom - top),
            linestyle="none",
            marker=".",
            markersize=1.6,
            markeredgewidth=0,
            color="#3a86c8",
            rasterized=True,
        )


def _draw(
    grid: Layout,
    painted: _Pictures | _Clouds,
    statuses: Mapping[str, str],
    looks: Mapping[str, Look],
    title: str,
    folder: Path,
    name: str,
) -> Drawing:
    rows, columns = len(grid.curves), len(grid.budgets)
    width, height = columns * CELL_WIDTH + LABEL_WIDTH, rows * painted.height + HEAD_HEIGHT
    figure = blank(width, height)
    figure.set_layout_engine("none")
    left, top = LABEL_WIDTH / width, 1 - HEAD_HEIGHT / height
    axes = figure.add_axes((left, 0.0, 1 - left, top))
    axes.set_axis_off()
    for cell in grid.cells:
        if cell in painted.samples:
            painted.paint(axes, cell)
        _label_cell(axes, cell, cell in painted.samples, statuses.get(cell.key, ""))
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    _label_rows(axes, grid, looks)
    caption = f"{painted.caption} All from the same noise (seed {grid.seed}); columns are budgets."
    if any(cell.note for cell in grid.cells):
        caption += " Adaptive solvers stand at the nearest budget, with their measured NFE."
    if grid.hidden:
        caption += f" {grid.hidden} more samplers are not shown."
    return save(figure, folder, name, title, caption)


def _label_cell(axes: Axes, cell: Cell, filled: bool, status: str) -> None:
    left, right, bottom, top = _frame(cell)
    if not filled or cell.note:
        frame = Rectangle((left, bottom), right - left, top - bottom, fill=False)
        frame.set(edgecolor=LINE.light, linewidth=0.6)
        axes.add_patch(frame)
    if not filled:
        middle = ((left + right) / 2, (bottom + top) / 2)
        axes.annotate(
            status or "no samples",
            middle,
            ha="center",
            va="center",
            fontsize=7.5,
            color=MUTED.light,
        )
    elif cell.note:
        axes.annotate(
            cell.note,
            (right, bottom),
            xytext=(-2, -2),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=6.5,
            color="#ffffff",
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "#303840", "edgecolor": "none"},
        )


def _label_rows(axes: Axes, grid: Layout, looks: Mapping[str, Look]) -> None:
    for row, curve in enumerate(grid.curves):
        axes.annotate(
            one_line(looks[curve].label, 40),
            (0, row + 0.5),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            color=TEXT.light,
            annotation_clip=False,
        )
    for column, budget in enumerate(grid.budgets):
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


def _frame(cell: Cell) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a field; y runs downwards."""
    return (
        cell.column + GAP,
        cell.column + 1 - GAP,
        cell.row + GAP,
        cell.row + 1 - GAP,
    )


def _plane(points: Array) -> npt.NDArray[np.float64]:
    """The first two coordinates; for one coordinate, the value against the sample's number."""
    flat = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    if flat.shape[1] == 1:
        return np.column_stack([flat[:, 0], np.linspace(-1.0, 1.0, len(flat)) * np.std(flat)])
    return flat[:, :2]


def _statuses(frame: pd.DataFrame) -> Mapping[str, str]:
    """For each cell, the first status that is not ok."""
    failed = frame[frame["status"].ne("ok")].drop_duplicates("key")
    return dict(zip(failed["key"], failed["status"], strict=True))


def _column(budget: float, nfe: float, budgets: tuple[float, ...]) -> tuple[int | None, float]:
    """Where a cell goes and how far, in log NFE, it is from there."""
    if not math.isnan(budget):
        return (budgets.index(budget), 0.0) if budget in budgets else (None, 0.0)
    if not nfe > 0:
        return None, 0.0
    distances = [abs(math.log(nfe / b)) for b in budgets]
    nearest = min(range(len(budgets)), key=distances.__getitem__)
    return nearest, distances[nearest]


def _spread(values: list[float], count: int) -> tuple[float, ...]:
    """At most `count` of the values, the ends among them, evenly over their ranks."""
    if len(values) <= count:
        return tuple(values)
    picks = np.unique(np.linspace(0, len(values) - 1, count).round().astype(int))
    return tuple(values[i] for i in picks)
