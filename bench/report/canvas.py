"""Drawing surfaces: figures without global state, and the files and markup made from them."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.report.looks import INKS, LINE, PAPER, TEXT

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
        "image.composite_image": False,
        "image.interpolation": "none",
        "text.parse_math": False,
    }
)

_TAG = re.compile(r"<[^>]*>")
_PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_NAMESPACE = re.compile(r'\s+xmlns(?::\w+)?="[^"]*"')
_LONG_DECIMAL = re.compile(r"(-?\d+\.\d{3})\d+")
_REFERENCE = re.compile(r'(\bid="|\bhref="#|url\(#)')
_SIZE = re.compile(r'\s(?:width|height)="[\d.]+pt"')


@dataclass(frozen=True)
class Drawing:
    """A finished figure: what it is called, what it shows and its files."""

    name: str
    title: str
    caption: str
    svg: Path
    png: Path
    markup: str

    @property
    def files(self) -> tuple[Path, Path]:
        """The figure for a paper, in two formats."""
        return (self.svg, self.png)


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
    return Figure(figsize=(width, height), dpi=160, layout="constrained")


def save(figure: Figure, folder: Path, name: str, title: str, caption: str) -> Drawing:
    """Write the figure as SVG and PNG, and keep its markup for the page."""
    # `savefig` would draw everything twice for each file
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    agg: Any = FigureCanvasAgg(figure)
    agg.print_png(png)
    figure.set_layout_engine("none")  # laid out by now
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    vector: Any = FigureCanvasSVG(figure)
    vector.print_svg(buffer, metadata=nothing)
    source = buffer.getvalue()
    svg.write_text(source, encoding="utf-8")
    return Drawing(name, title, caption, svg, png, inline(source, name))


def inline(svg: str, prefix: str) -> str:
    """The SVG as an element of a page: no prologue, its own ids, colours by CSS variable.

    Only tags are touched. Text, which may be a plugin's name, is escaped in the source (a raw `<`
    never occurs in it) and stays as it is.
    """
    width = re.search(r'width="([\d.]+)pt"', svg)
    body = _TAG.sub(lambda tag: _tidy(tag.group(), prefix), _PROLOGUE.sub("", svg, count=1))
    limit = f"{float(width.group(1)) * 4 / 3:.0f}px" if width else "100%"
    return body.replace("<svg", f'<svg role="img" style="max-width:{limit}"', 1)


def _tidy(tag: str, prefix: str) -> str:
    tag = _NAMESPACE.sub("", tag).replace("xlink:href", "href")
    if tag.startswith("<svg"):
        tag = _SIZE.sub("", tag)
    if "base64," in tag:  # the text of an image is long and holds none of what follows
        return _REFERENCE.sub(rf"\g<1>{prefix}-", tag)
    for ink in INKS:
        tag = tag.replace(ink.light, f"var(--{ink.name})")
    tag = _LONG_DECIMAL.sub(r"\1", tag)
    return _REFERENCE.sub(rf"\g<1>{prefix}-", tag)
