"""Pictures of samples: grids of images, and scatter plots of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bench.api import BenchError, ScoreModel

Pixels = NDArray[np.uint8]

_GAP, _SMALLEST = 2, 56
"""Pixels between images, and the least side of an image: smaller ones are enlarged."""


def is_points(model: ScoreModel) -> bool:
    """True for points of the plane."""
    return model.shape == (2,)


def require_picture(model: ScoreModel, option: str) -> None:
    """Refuse to draw what is neither an image nor a point of the plane.

    Raises:
        BenchError: there is no picture of such samples.
    """
    image = len(model.shape) == 3 and model.shape[0] in (1, 3) and model.target.discrete
    if not image and not is_points(model):
        raise BenchError(
            f"{option}: samples of shape {model.shape} are neither images nor points of the "
            "plane; write an array, such as samples.npz"
        )


def draw_grid(model: ScoreModel, x: Tensor, columns: int) -> Image.Image:
    """Images ``x`` (n, channels, height, width) in rows of ``columns``, or points as a scatter."""
    if is_points(model):
        return draw_scatter([x], 1)
    return tile(to_pixels(model, x), columns)


def to_pixels(model: ScoreModel, x: Tensor) -> Pixels:
    """The bytes of images, (n, height, width, channels)."""
    discrete = model.target.discrete
    assert discrete is not None
    levels = discrete.quantise(x.float().cpu()).mul_(255 // (discrete.levels - 1))
    pixels: Pixels = levels.permute(0, 2, 3, 1).contiguous().numpy()
    return pixels


def tile(pixels: Pixels, columns: int) -> Image.Image:
    """Images (n, height, width, channels) side by side, small ones enlarged by a whole factor."""
    n, height, width, channels = pixels.shape
    factor = max(1, math.ceil(_SMALLEST / min(height, width)))
    large = pixels.repeat(factor, 1).repeat(factor, 2)
    height, width, rows = height * factor + _GAP, width * factor + _GAP, math.ceil(n / columns)
    page = np.full((rows * height + _GAP, columns * width + _GAP, channels), 255, dtype=np.uint8)
    for i, image in enumerate(large):
        top, left = _GAP + i // columns * height, _GAP + i % columns * width
        page[top : top + height - _GAP, left : left + width - _GAP] = image
    return Image.fromarray(page[..., 0] if channels == 1 else page)


def draw_scatter(
    sets: Sequence[Tensor], columns: int, titles: Sequence[str] = (), limit: float | None = None
) -> Image.Image:
    """Sets of points (n, 2) in panels, in rows of ``columns``, on common axes.

    Args:
        sets: the points.
        columns: panels in a row.
        titles: of the panels, or none.
        limit: largest coordinate that is shown; None: that of the points.
    """
    rows = math.ceil(len(sets) / columns)
    side = 5.0 if len(sets) == 1 else 2.0
    figure = Figure((side * columns, side * rows), dpi=100, layout="constrained")
    arrays = [points.float().cpu().numpy() for points in sets]
    limit = limit or 1.05 * max(float(np.abs(points).max()) for points in arrays)
    for i, points in enumerate(arrays):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.scatter(points[:, 0], points[:, 1], s=4, alpha=0.6, linewidths=0)
        axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        if len(sets) > 1:
            axes.set_xticks([])
            axes.set_yticks([])
        if titles:
            axes.set_title(titles[i], fontsize=7)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")
