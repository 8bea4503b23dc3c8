"""What came out: samples of every sampler at every budget, all from the same noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bench.report.canvas import Drawing, blank, save
from bench.report.looks import LINE, MUTED, Look
from bench.report.text import one_line, tick

MAX_ROWS, MAX_COLUMNS = 30, 8
IMAGES_PER_REPORT = 1000
"""Images of 28 x 28 pixels that a page has room for; larger ones count by their pixels."""

POINTS_PER_CELL = 400
CELL_WIDTH, HEAD_HEIGHT = 1.05, 0.3
"""In inches."""

GAP = 0.04
"""Between a field and the edge of its cell, as a part of the cell."""

CLOUD = "#3a86c8"
"""Colour of points: seen on white and on black, since they are drawn as an image."""

Array = npt.NDArray[np.generic]
Points = npt.NDArray[np.float64]
Reader = Callable[[str], Array | None]


@dataclass(frozen=True)
class Cell:
    """One field of the grid: samples, or why there are none."""

    row: int
    column: int
    key: str
    nfe: float
    adaptive: bool


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


def layout(frame: pd.DataFrame, looks: Mapping[str, Look]) -> Layout | None:
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
    names = [curve for curve in looks if curve in set(cells["curve"])]
    curves = tuple(names[:MAX_ROWS])
    rows = {curve: i for i, curve in enumerate(curves)}
    placed: dict[tuple[int, int], tuple[float, Cell]] = {}
    for cell in cells[cells["curve"].isin(curves)].to_dict("records"):
        column, distance = _column(float(cell["budget"]), float(cell["nfe"]), budgets)
        if column is None:
            continue
        adaptive = math.isnan(cell["budget"])
        field = Cell(rows[str(cell["curve"])], column, str(cell["key"]), cell["nfe"], adaptive)
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
    grid = layout(frame, looks)
    if grid is None:
        return None
    found = {cell: read(cell.key) for cell in grid.cells}
    samples = {cell: array for cell, array in found.items() if array is not None}
    first = next(iter(samples.values()), None)
    if first is None:
        return None
    alike = {c: a for c, a in samples.items() if a.shape[1:] == first.shape[1:]}
    painter = _Pictures.of(alike, images) if first.ndim == 4 else _Clouds.of(alike)
    statuses = _statuses(frame)
    empty = {c: statuses.get(c.key, "no samples") for c in grid.cells if c not in alike}
    return _draw(grid, painter, empty, looks, title, folder, name)


class _Painter(Protocol):
    """Fills the fields of a grid."""

    @property
    def height(self) -> float:
        """Of a field, in inches."""
        ...

    @property
    def caption(self) -> str:
        """What the fields show."""
        ...

    def paint(self, axes: Axes, cell: Cell) -> None:
        """Fill the field of a cell."""
        ...


@dataclass(frozen=True)
class _Pictures:
    """Fields of images, in strips of two rows.

    Attributes:
        samples: of each cell.
        count: images in a field.
    """

    samples: Mapping[Cell, Array]
    count: int

    @staticmethod
    def of(samples: Mapping[Cell, Array], images: int) -> _Pictures:
        """As many images as there are and as the figure may hold."""
        shape = next(iter(samples.values())).shape
        fit = int(images * 784 / math.prod(shape[1:])) // len(samples)
        count = min(8, max(2, fit - fit % 2), *(len(array) for array in samples.values()))
        return _Pictures(samples, count)

    @property
    def rows(self) -> int:
        """Of images in a field."""
        return min(2, self.count)

    @property
    def height(self) -> float:
        """Of a field, in inches: pixels are square."""
        high, wide = next(iter(self.samples.values())).shape[2:]
        return float(CELL_WIDTH * self.rows * high / (-(-self.count // self.rows) * wide))

    @property
    def caption(self) -> str:
        """What the fields show."""
        return f"The first {self.count} samples of each cell, as the metrics saw them."

    def paint(self, axes: Axes, cell: Cell) -> None:
        """Put a cell's images into its field."""
        tiles = [
            np.moveaxis(image, 0, -1) for image in np.asarray(self.samples[cell][: self.count])
        ]
        columns = -(-self.count // self.rows)
        tiles += [np.zeros_like(tiles[0])] * (columns * self.rows - self.count)
        strips = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
        picture = np.concatenate(strips, axis=0)
        shown = picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3]
        left, right, bottom, top = _frame(cell)
        axes.imshow(
            shown, cmap="gray", vmin=0, vmax=255, extent=(left, right, top, bottom), aspect="auto"
        )


@dataclass(frozen=True)
class _Clouds:
    """Fields of points, all in the same window.

    Attributes:
        samples: of each cell, two coordinates.
        low, high: corners of the window.
        dimensions: how many coordinates the samples have.
    """

    samples: Mapping[Cell, Points]
    low: Points
    high: Points
    dimensions: int

    @staticmethod
    def of(samples: Mapping[Cell, Array]) -> _Clouds:
        """In the window that the samples of a typical cell fill, whatever a few cells do."""
        points = {cell: _plane(array[:POINTS_PER_CELL]) for cell, array in samples.items()}
        ranges = [
            np.quantile(p, (0.005, 0.995), axis=0) for p in map(_finite, points.values()) if len(p)
        ]
        low, high = np.median(ranges, axis=0) if ranges else np.array([[-1.0] * 2, [1.0] * 2])
        centre, half = (low + high) / 2, float(np.max(high - low)) * 0.7 or 1.0
        dimensions = math.prod(next(iter(samples.values())).shape[1:])
        return _Clouds(points, centre - half, centre + half, dimensions)

    @property
    def height(self) -> float:
        """Of a field, in inches."""
        return CELL_WIDTH

    @property
    def caption(self) -> str:
        """What the fields show."""
        of = f", the first two of {self.dimensions} coordinates" if self.dimensions > 2 else ""
        return (
            f"Up to {POINTS_PER_CELL} samples of each cell{of}; all fields show the same window, "
            "points outside of it are not shown."
        )

    def paint(self, axes: Axes, cell: Cell) -> None:
        """Put a cell's points into its field."""
        left, right, bottom, top = _frame(cell)
        axes.add_patch(_border(cell))
        points = self.samples[cell]
        inside = ((points > self.low) & (points < self.high)).all(axis=1)
        unit = (points[inside] - self.low) / (self.high - self.low)
        axes.plot(
            left + unit[:, 0] * (right - left),
            top + unit[:, 1] * (bottom - top),
            linestyle="none",
            marker=".",
            markersize=2.0,
            markeredgewidth=0,
            color=CLOUD,
            rasterized=True,
        )


def _draw(
    grid: Layout,
    painter: _Painter,
    empty: Mapping[Cell, str],
    looks: Mapping[str, Look],
    title: str,
    folder: Path,
    name: str,
) -> Drawing:
    labels = [_row_label(grid, row, looks[curve].label) for row, curve in enumerate(grid.curves)]
    margin = 0.25 + 0.068 * max(len(line) for label in labels for line in label.split("\n"))
    rows, columns = len(labels), len(grid.budgets)
    width, height = columns * CELL_WIDTH + margin, rows * painter.height + HEAD_HEIGHT
    figure = blank(width, height)
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
    return save(figure, folder, name, title, _caption(grid, painter))


def _caption(grid: Layout, painter: _Painter) -> str:
    caption = f"{painter.caption} All from the same noise (seed {grid.seed}); columns are budgets."
    if any(cell.adaptive for cell in grid.cells):
        caption += (
            " Adaptive solvers have no budget: each field is the run nearest to the column, and "
            "the measured NFE of the fields stand under the name."
        )
    if grid.hidden:
        caption += f" {grid.hidden} more samplers are not shown."
    return caption


def _paint_empty(axes: Axes, cell: Cell, reason: str) -> None:
    left, right, bottom, top = _frame(cell)
    axes.add_patch(_border(cell))
    middle = ((left + right) / 2, (bottom + top) / 2)
    axes.annotate(reason, middle, ha="center", va="center", fontsize=7.5, color=MUTED.light)


def _border(cell: Cell) -> Rectangle:
    left, right, bottom, top = _frame(cell)
    border = Rectangle((left, bottom), right - left, top - bottom, fill=False)
    border.set(edgecolor=LINE.light, linewidth=0.6)
    return border


def _row_label(grid: Layout, row: int, name: str) -> str:
    """The sampler; for an adaptive one with the measured NFE of its fields."""
    cells = sorted((c.column, c.nfe) for c in grid.cells if c.row == row and c.adaptive)
    spent = ", ".join(f"{nfe:.0f}" for _, nfe in cells)
    return f"{one_line(name, 44)}\nNFE {spent}" if spent else one_line(name, 44)


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


def _frame(cell: Cell) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a field; y runs downwards."""
    return (
        cell.column + GAP,
        cell.column + 1 - GAP,
        cell.row + GAP,
        cell.row + 1 - GAP,
    )


def _plane(points: Array) -> Points:
    """The first two coordinates; for one coordinate, the value against the sample's number."""
    flat = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    if flat.shape[1] == 1:
        return np.column_stack([flat[:, 0], np.linspace(-1.0, 1.0, len(flat)) * np.std(flat)])
    return flat[:, :2]


def _finite(points: Points) -> Points:
    return points[np.isfinite(points).all(axis=1)]


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
