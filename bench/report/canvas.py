"""Drawing surfaces: figures without global state, and the files and markup made from them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.report.looks import LINE, PAPER, TEXT
from bench.report.svg import Tags, inline

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
class Sketch:
    """A figure before it is written: what it is called, what it shows and what is whose in it."""

    figure: Figure
    name: str
    title: str
    caption: str
    tags: Tags = field(default_factory=Tags)


@dataclass(frozen=True)
class Drawing:
    """A finished figure: what it is called, what it shows and its files."""

    name: str
    title: str
    caption: str
    files: tuple[Path, ...]
    markup: str


@contextmanager
def style() -> Iterator[None]:
    """The look of all figures, for as long as they are drawn."""
    with warnings.catch_warnings(), mpl.rc_context(cast(Any, dict(STYLE))):
        # a name in a script that the font lacks shows as boxes in the PNG and right in the SVG
        warnings.filterwarnings(
            "ignore", message=r"Glyph .* missing from font", category=UserWarning
        )
        yield


def blank(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, laid out so that nothing overlaps."""
    return Figure(figsize=(width, height), dpi=140, layout="constrained")


def save(sketch: Sketch, folder: Path, printed: bool) -> Drawing:
    """Write a figure and keep its markup for the page.

    Args:
        sketch: the figure.
        folder: where the files go.
        printed: write PDF and PNG beside the SVG.
    """
    figure, stem = sketch.figure, folder / sketch.name
    buffer = io.StringIO()
    vector: Any = FigureCanvasSVG(figure)
    vector.print_svg(buffer, metadata=dict(NOTHING))
    figure.set_layout_engine("none")  # laid out by now; the next file need not do it again
    source = buffer.getvalue()
    files = [stem.with_name(f"{sketch.name}.svg")]
    files[0].write_text(source, encoding="utf-8")
    if printed:
        files += _printed(figure, stem)
    markup = inline(source, sketch.name, sketch.tags.marks)
    return Drawing(sketch.name, sketch.title, sketch.caption, tuple(files), markup)


def _printed(figure: Figure, stem: Path) -> list[Path]:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    pdf, png = stem.with_name(f"{stem.name}.pdf"), stem.with_name(f"{stem.name}.png")
    pages: Any = FigureCanvasPdf(figure)
    pages.print_pdf(pdf, metadata=dict(NO_DATES))
    pixels: Any = FigureCanvasAgg(figure)
    pixels.print_png(png)
    return [pdf, png]
