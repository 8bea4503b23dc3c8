"""The canvas of a view: a figure without global state, and the files and markup made from it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.extensions.figure import CurvePart, CurveStyle
from bench.report.drawing.legend import Legend
from bench.report.drawing.svg import inline, place
from bench.report.styles import LINE, PAPER, TEXT

# `svg.fonttype: none` keeps text as text: small files that can be searched. The salt makes the
# ids, and so the files, the same from run to run. Images stay at their own resolution.
STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "font.family": ["DejaVu Sans"],
        "font.size": 9.0,
        "axes.titlesize": 10.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 9.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.edgecolor": TEXT.light,
        "axes.labelcolor": TEXT.light,
        "axes.titlecolor": TEXT.light,
        "axes.facecolor": PAPER.light,
        "figure.facecolor": PAPER.light,
        "figure.edgecolor": PAPER.light,
        "text.color": TEXT.light,
        "xtick.color": TEXT.light,
        "ytick.color": TEXT.light,
        "xtick.labelsize": 8.0,
        "ytick.labelsize": 8.0,
        "grid.color": LINE.light,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.5,
        "lines.markersize": 5.0,
        "legend.frameon": False,
        "legend.fontsize": 8.0,
        "svg.fonttype": "none",
        "svg.hashsalt": "scorebench",
        "pdf.fonttype": 42,
        "image.composite_image": False,
        "image.interpolation": "none",
        "text.parse_math": False,
    }
)

NOTHING = MappingProxyType(dict.fromkeys(("Date", "Creator", "Format", "Type")))
"""Metadata of an SVG: none, so that equal figures are equal files."""

NO_DATES = MappingProxyType(dict.fromkeys(("CreationDate", "Creator", "Producer")))
"""The same for a PDF."""


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Attributes:
        name: of its files, without the suffix.
        title, caption: texts below it.
        files: SVG, and PDF and PNG where it is printed.
        markup: for the page.
    """

    name: str
    title: str
    caption: str
    files: tuple[Path, ...]
    markup: str


class PageCanvas:
    """The `bench.extensions.figure.Canvas` of one view."""

    def __init__(self, styles: Mapping[str, CurveStyle]) -> None:
        self.styles = styles
        self.figure = blank(1.0, 1.0)
        self.marks: dict[int, tuple[str, ...]] = {}
        self._tags = 0

    def open(
        self,
        width: float,
        height: float,
        curves: Iterable[str] = (),
        suffixes: Mapping[str, str] | None = None,
    ) -> Figure:
        """Begin an empty figure, see `Canvas.open`."""
        named = sorted((self.styles[curve].number, curve) for curve in set(curves))
        texts = suffixes or {}
        legend = Legend(
            [(self.styles[c], self.styles[c].label + texts.get(c, "")) for _, c in named]
        )
        if not named:
            self.figure = blank(width, height)
            return self.figure
        self.figure = blank(width + legend.width, max(height, legend.height))
        for artist, owner in legend.add_to(self.figure):
            self._tag(artist, owner, CurvePart.KEY)
        return self.figure

    def curve(self, axes: Axes, curve: str, points: pd.DataFrame, column: str) -> None:
        """Draw the values of one curve, see `Canvas.curve`."""
        style = self.styles[curve]
        x, y = points[column].to_numpy(dtype=float), points["value"].to_numpy(dtype=float)
        ends = points[["low", "high"]].to_numpy(dtype=float)
        known = np.isfinite(ends).all(axis=1)
        if known.any():
            # all strokes of a curve are one path, with gaps
            at = np.repeat(x[known], 3)
            upright = np.column_stack([ends[known], np.full(known.sum(), np.nan)]).ravel()
            (stroke,) = axes.plot(at, upright, color=style.color, lw=0.9, ls="-", alpha=0.55)
            stroke.set_solid_capstyle("butt")
            self.tag(stroke, curve, CurvePart.STROKE)
        (line,) = axes.plot(x, y, color=style.color, linestyle=style.dashes)
        self.tag(line, curve, CurvePart.LINE)
        (marks,) = axes.plot(
            x, y, linestyle="none", color=style.color, marker=style.marker, markeredgewidth=0
        )
        self.tag(marks, curve, CurvePart.MARK, points)

    def tag(
        self, artist: Any, curve: str, part: CurvePart, points: pd.DataFrame | None = None
    ) -> None:
        """Say whose an artist is, see `Canvas.tag`."""
        self._tag(artist, self.styles[curve], part)
        if points is not None:
            at = zip(points["budget"], points["nfe"], strict=True)
            self.marks[self._tags] = tuple(place(*point) for point in at)

    def _tag(self, artist: Any, style: CurveStyle, part: CurvePart) -> None:
        self._tags += 1
        artist.set_gid(f"curve-{style.number}-{part.value}-{self._tags}")

    def save(self, name: str, folder: Path, printed: bool) -> tuple[tuple[Path, ...], str]:
        """Write the figure; return its files and its markup for the page."""
        stem, buffer = folder / name, io.StringIO()
        vector: Any = FigureCanvasSVG(self.figure)
        vector.print_svg(buffer, metadata=dict(NOTHING))
        self.figure.set_layout_engine("none")  # laid out by now; the next file need not do it again
        source = buffer.getvalue()
        files = [stem.with_name(f"{name}.svg")]
        files[0].write_text(source, encoding="utf-8")
        if printed:
            files += _print(self.figure, stem)
        return tuple(files), inline(source, name, self.marks)


@contextmanager
def matplotlib_style() -> Iterator[None]:
    """Draw in the style of the report."""
    with warnings.catch_warnings(), mpl.rc_context(cast(Any, dict(STYLE))):
        # a name in a script that the font lacks shows as boxes in the PNG and right in the SVG
        warnings.filterwarnings(
            "ignore", message=r"Glyph .* missing from font", category=UserWarning
        )
        yield


def blank(width: float, height: float) -> Figure:
    """Make an empty figure of a size in inches, laid out so that nothing overlaps."""
    return Figure(figsize=(width, height), dpi=140, layout="constrained")


def _print(figure: Figure, stem: Path) -> list[Path]:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    pdf, png = stem.with_name(f"{stem.name}.pdf"), stem.with_name(f"{stem.name}.png")
    pages: Any = FigureCanvasPdf(figure)
    pages.print_pdf(pdf, metadata=dict(NO_DATES))
    pixels: Any = FigureCanvasAgg(figure)
    pixels.print_png(png)
    return [pdf, png]
