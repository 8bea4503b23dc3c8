"""Paths from data to noise and back, over the density of p_t, in one or two dimensions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from bench.core.errors import BenchError
from bench.extensions.data import RunData
from bench.extensions.figure import Canvas, RunFigure, View
from bench.render.labels import shorten_label, slug
from bench.results import array_file
from bench.results.frame import with_params
from bench.results.places import replace_digests

COLUMNS = (
    ("forward", "forward SDE: data to noise", False),
    ("reverse", "reverse SDE: noise to data", True),
    ("flow", "probability-flow ODE: noise to data", True),
)

# Of one hue, so that it says no more than more and less; the same by day and by night.
DENSITY = LinearSegmentedColormap.from_list("density", ["#f4f7fb", "#a9c4e0", "#4d83b8", "#123a66"])
PATH, HALO = "#c2410d", "#fdfdfd"

CAPTION = (
    "Shade: density of p_t, relative to its largest value at that time{marginal}, in closed form. "
    "Lines: {count} sample paths of each. Forward by the exact transitions of the SDE from exact "
    "samples; back by ancestral steps and by DDIM's step on {fine} levels, from the same noise in "
    "both. The model is the exact score: no solver of this report drew these paths.{scale}"
)

WIDE = 12.0
"""Beyond this many times the data's reach, x is shown on an arsinh scale."""

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Picture:
    """The paths of a model under a process."""

    model: str
    process: str
    process_name: str
    dimension: int
    arrays: dict[str, Array]


def views(run: RunData) -> Iterator[View]:
    """Select the paths that the run kept, a view in a section of its own for each model."""
    wanted = [(subject.model, subject.process) for subject in run.subjects]
    found = pictures(run.folder / "paths", wanted, run.names)
    for i, (model, shown) in enumerate(found.items(), start=1):
        title = f"From data to noise and back: {model}"
        yield View(partial(draw, shown), title, f"{i:02d}-{slug(model)}", section=title)


def pictures(
    folder: Path, wanted: Iterable[tuple[str, str]], names: Mapping[str, str]
) -> dict[str, tuple[Picture, ...]]:
    """Read the pictures of each model; what cannot be read is left out.

    Args:
        folder: where a run keeps its paths.
        wanted: models and processes, with parameters, in the order of the report.
        names: of the files of parameters, by digest.
    """
    found = [picture for path in sorted(folder.glob("*.npz")) if (picture := _read(path, names))]
    by_plugins = {(picture.model, picture.process): picture for picture in found}
    grouped: dict[str, list[Picture]] = {}
    for model, process in wanted:
        picture = by_plugins.get((model, process))
        if picture and picture not in grouped.setdefault(model, []):
            grouped[model].append(picture)
    return {model: tuple(several) for model, several in grouped.items() if several}


def _read(path: Path, names: Mapping[str, str]) -> Picture | None:
    try:
        arrays = array_file.read_many(path, f"paths/{path.stem}")
        about: dict[str, Any] = json.loads(str(arrays["about"]))
        shapes = {name: arrays[name].shape for name in ("t", "x", "density")}
        (times,), (levels,) = shapes["t"], shapes["x"]
        if shapes["density"] != (times, levels):
            return None
        if any(arrays[name].shape[1:] != (times,) for name, _, _ in COLUMNS):
            return None
        return Picture(
            _plugin(about, "model", names),
            _plugin(about, "process", names),
            str(about["process"]),
            int(about["dimension"]),
            arrays,
        )
    except (BenchError, OSError, ValueError, KeyError, TypeError):
        return None


def _plugin(about: Mapping[str, Any], kind: str, names: Mapping[str, str]) -> str:
    params = replace_digests(str(about[f"{kind}_params"]), names, quoted=True)
    return with_params(str(about[kind]), str(params))


def draw(shown: tuple[Picture, ...], canvas: Canvas) -> str:
    """Draw the pictures of one model: a row for each process."""
    figure = canvas.open(11.0, 2.25 * len(shown) + 0.2)
    scaled = False
    for row, picture in enumerate(shown):
        for column, (kind, heading, turned) in enumerate(COLUMNS):
            axes = figure.add_subplot(len(shown), 3, 3 * row + column + 1)
            scaled |= _draw_paths(axes, picture, kind, turned)
            if row == 0:
                axes.set_title(heading, fontsize=9)
            if column == 0:
                axes.set_ylabel(f"{shorten_label(picture.process, 34)}\nx at t", fontsize=8.5)
            if row == len(shown) - 1:
                axes.set_xlabel("t")
    steps = 8 * (len(shown[0].arrays["t"]) - 1)
    return CAPTION.format(
        marginal=", of the first coordinate" if shown[0].dimension > 1 else "",
        count=len(shown[0].arrays["forward"]),
        fine=steps,
        scale=" Where noise reaches far beyond the data, x is on an arsinh scale."
        if scaled
        else "",
    )


def _draw_paths(axes: Axes, picture: Picture, kind: str, turned: bool) -> bool:
    t, x = picture.arrays["t"].astype(float), picture.arrays["x"].astype(float)
    paths = picture.arrays[kind].astype(float)
    near = float(np.abs(picture.arrays["forward"][:, 0]).max()) or 1.0
    every = [picture.arrays[name].astype(float) for name, _, _ in COLUMNS]
    reach = max(float(np.abs(one).max()) for one in every) * 1.08 or 1.0
    wide = reach > WIDE * near
    if wide:
        axes.set_yscale("asinh", linear_width=near)
        ticks = [v for v in (-100, -10, 0, 10, 100) if abs(v) < reach]
        axes.set_yticks(ticks, [f"{v}".replace("-", "−") for v in ticks])
    axes.pcolormesh(
        t,
        x,
        picture.arrays["density"].T,
        cmap=DENSITY,
        shading="nearest",
        rasterized=True,
        vmin=0,
        vmax=255,
    )
    gap = np.full((len(paths), 1), np.nan)
    joined = np.concatenate([paths, gap], axis=1).ravel()
    along = np.tile(np.append(t, np.nan), len(paths))
    axes.plot(along, joined, color=HALO, lw=1.6, alpha=0.5)
    axes.plot(along, joined, color=PATH, lw=0.8)
    axes.set_ylim(-reach, reach)
    if t[0] > 0 and t[-1] > 50 * t[len(t) // 2]:
        axes.set_xscale("log")
    axes.set_xlim(*((t[-1], t[0]) if turned else (t[0], t[-1])))
    axes.grid(visible=False)
    return wide


FIGURE = RunFigure(name="paths", title="From data to noise and back", rank=40, views=views)
