"""Observation, truth and samples of images, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.extend import Canvas, SubjectData, SubjectFigure, View
from bench_guided_figures.cells import Arrays, Sheet, sheets

QUESTIONS, DRAWS, SAMPLERS, TILE = 4, 2, 12, 0.62
"""Lines, samples of each sampler, samplers; the side of an image in inches."""


def views(subject: SubjectData) -> Iterator[View]:
    """One view for each budget at which images answer observations."""
    for sheet in sheets(subject):
        if next(iter(sheet.kept.values()))["samples"].ndim == 4:
            title = f"Observation, truth and samples at NFE {sheet.budget:.0f}"
            yield View(partial(draw, sheet), title=title, suffix=f"nfe{sheet.budget:.0f}")


def draw(sheet: Sheet, canvas: Canvas) -> str:
    """Draw a line for each question: its observation, its truth, samples of each sampler."""
    curves = [curve for curve in canvas.styles if curve in sheet.kept][:SAMPLERS]
    first = sheet.kept[curves[0]]
    numbers = list(dict.fromkeys(first["number"].tolist()))[:QUESTIONS]
    heads = [name for name in ("observation", "truth") if name in first]
    columns = [(name, first, name, 1) for name in heads]
    columns += [(curve, sheet.kept[curve], "samples", DRAWS) for curve in curves]
    wide = sum(count for *_, count in columns)
    head = 0.35 + 0.055 * max(len(_short(name)) for name, *_ in columns)
    figure = canvas.open(wide * TILE + 0.1 * len(columns), len(numbers) * TILE + head)
    figure.set_layout_engine("none")
    height = len(numbers) * TILE / (len(numbers) * TILE + head)
    grid = figure.add_gridspec(
        len(numbers), len(columns), width_ratios=[count for *_, count in columns],
        left=0.01, right=0.99, bottom=0.01, top=height, wspace=0.06, hspace=0.06,
    )  # fmt: skip
    for j, (name, arrays, key, count) in enumerate(columns):
        for i, number in enumerate(numbers):
            axes = figure.add_subplot(grid[i, j])
            axes.set_axis_off()
            axes.imshow(_strip(arrays, key, number, count), cmap="gray", vmin=0, vmax=255)
            if i == 0:
                axes.set_title(_short(name), fontsize=7.5, rotation=38, loc="left", va="bottom")
    hidden = len(sheet.kept) - len(curves)
    more = f" {hidden} more samplers are not shown." if hidden else ""
    return (
        f"Lines are questions: what was observed, what it was observed of, and the first samples "
        f"of each sampler, as the metrics saw them, from the same noise.{more}"
    )


def _strip(arrays: Arrays, key: str, number: int, count: int) -> npt.NDArray[Any]:
    """The first images of a question beside each other, (height, width[, 3])."""
    own = arrays[key][arrays["number"] == number][:count]
    blank = np.zeros_like(arrays[key][0])
    images = [np.moveaxis(image, 0, -1) for image in (*own, *[blank] * (count - len(own)))]
    strip: npt.NDArray[Any] = np.concatenate(images, axis=1)
    return strip[..., 0] if strip.shape[-1] == 1 else strip[..., :3]


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:20]}…{name[-13:]}"


FIGURE = SubjectFigure(
    name="answers", title="Observation, truth and samples", rank=20, place=45, views=views
)
