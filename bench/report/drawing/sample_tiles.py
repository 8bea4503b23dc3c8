"""Tiles of a sample grid: strips of images or clouds of points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bench.report.drawing.sample_layout import GridCell
from bench.report.styles import LINE

POINTS_PER_CELL = 400

CELL_WIDTH = 1.05
"""In inches."""

GAP = 0.04
"""Between a tile and the edge of its cell, as a part of the cell."""

CLOUD = "#3a86c8"
"""Colour of points: seen on white and on black, since they are drawn as an image."""

Array = npt.NDArray[np.generic]
Points = npt.NDArray[np.float64]


class Painter(Protocol):
    """Fills the tiles of a grid."""

    @property
    def height(self) -> float:
        """Of a tile, in inches."""
        ...

    @property
    def caption(self) -> str:
        """Description of the tiles."""
        ...

    def paint(self, axes: Axes, cell: GridCell) -> None:
        """Fill the tile of a cell."""
        ...


@dataclass(frozen=True)
class Pictures:
    """Tiles of images, in a strip of one or two rows.

    Attributes:
        samples: of each cell.
        count: images in a tile.
    """

    samples: Mapping[GridCell, Array]
    count: int

    @staticmethod
    def of(samples: Mapping[GridCell, Array], images: int) -> Pictures:
        """Take as many images as there are and as the figure may hold."""
        shape = next(iter(samples.values())).shape
        fit = int(images * 784 / math.prod(shape[1:])) // len(samples)
        count = min(8, max(4, fit - fit % 2), *(len(array) for array in samples.values()))
        return Pictures(samples, count)

    @property
    def rows(self) -> int:
        """Of images in a tile."""
        return 2 if self.count > 4 else 1

    @property
    def height(self) -> float:
        """Of a tile, in inches: pixels are square."""
        high, wide = next(iter(self.samples.values())).shape[2:]
        return float(CELL_WIDTH * self.rows * high / (-(-self.count // self.rows) * wide))

    @property
    def caption(self) -> str:
        """Description of the tiles."""
        return f"The first {self.count} samples of each cell, as the metrics saw them."

    def paint(self, axes: Axes, cell: GridCell) -> None:
        """Put a cell's images into its tile."""
        tiles = [
            np.moveaxis(image, 0, -1) for image in np.asarray(self.samples[cell][: self.count])
        ]
        columns = -(-self.count // self.rows)
        tiles += [np.zeros_like(tiles[0])] * (columns * self.rows - self.count)
        strips = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
        picture = np.concatenate(strips, axis=0)
        shown = picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3]
        left, right, bottom, top = tile_frame(cell)
        axes.imshow(
            shown, cmap="gray", vmin=0, vmax=255, extent=(left, right, top, bottom), aspect="auto"
        )


@dataclass(frozen=True)
class Clouds:
    """Tiles of points, all in the same window.

    Attributes:
        samples: of each cell, two coordinates.
        low, high: corners of the window.
        dimensions: how many coordinates the samples have.
    """

    samples: Mapping[GridCell, Points]
    low: Points
    high: Points
    dimensions: int

    @staticmethod
    def of(samples: Mapping[GridCell, Array]) -> Clouds:
        """Take the window that the samples of a typical cell fill, whatever a few cells do."""
        points = {cell: _plane(array[:POINTS_PER_CELL]) for cell, array in samples.items()}
        ranges = [
            np.quantile(p, (0.005, 0.995), axis=0) for p in map(_finite, points.values()) if len(p)
        ]
        low, high = np.median(ranges, axis=0) if ranges else np.array([[-1.0] * 2, [1.0] * 2])
        centre, half = (low + high) / 2, float(np.max(high - low)) * 0.7 or 1.0
        dimensions = math.prod(next(iter(samples.values())).shape[1:])
        return Clouds(points, centre - half, centre + half, dimensions)

    @property
    def height(self) -> float:
        """Of a tile, in inches."""
        return CELL_WIDTH

    @property
    def caption(self) -> str:
        """Description of the tiles."""
        of = f", the first two of {self.dimensions} coordinates" if self.dimensions > 2 else ""
        return (
            f"Up to {POINTS_PER_CELL} samples of each cell{of}; all fields show the same window, "
            "points outside of it are not shown."
        )

    def paint(self, axes: Axes, cell: GridCell) -> None:
        """Put a cell's points into its tile."""
        left, right, bottom, top = tile_frame(cell)
        axes.add_patch(outline(cell))
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


def outline(cell: GridCell) -> Rectangle:
    """Outline a tile."""
    left, right, bottom, top = tile_frame(cell)
    border = Rectangle((left, bottom), right - left, top - bottom, fill=False)
    border.set(edgecolor=LINE.light, linewidth=0.6)
    return border


def tile_frame(cell: GridCell) -> tuple[float, float, float, float]:
    """Return left, right, bottom, top of a tile; y runs downwards."""
    return (
        cell.column + GAP,
        cell.column + 1 - GAP,
        cell.row + GAP,
        cell.row + 1 - GAP,
    )


def _plane(points: Array) -> Points:
    """Take the first two coordinates; of one coordinate, the value against the sample's number."""
    flat = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    if flat.shape[1] == 1:
        return np.column_stack([flat[:, 0], np.linspace(-1.0, 1.0, len(flat)) * np.std(flat)])
    return flat[:, :2]


def _finite(points: Points) -> Points:
    return points[np.isfinite(points).all(axis=1)]
