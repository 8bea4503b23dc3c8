"""The page: one HTML file that holds everything and asks for nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.published.text import Block
from bench.report.canvas import Drawing
from bench.report.looks import INKS
from bench.report.order import Order
from bench.report.provenance import Provenance
from bench.report.tables import Best, Failure, Note, Table

INLINE_BYTES = 2_400_000
"""Of figures on the page; all figures are files next to it as well."""


@dataclass(frozen=True)
class Section:
    """What the page says of one subject."""

    anchor: str
    title: str
    figures: tuple[Drawing, ...]
    tables: tuple[Table, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True)
class Page:
    """All that the template shows."""

    run: str
    rows: int
    started: tuple[str, str]
    statuses: dict[str, int]
    best: tuple[Best, ...]
    sections: tuple[Section, ...]
    failures: tuple[Failure, ...]
    failures_hidden: int
    notes: tuple[Note, ...]
    published: tuple[Block, ...]
    provenance: Provenance
    files: tuple[str, ...]


def render(page: Page) -> str:
    """The HTML of the page.

    Figures beyond what a page of reasonable size can hold are named, not shown.
    """
    environment = Environment(
        loader=PackageLoader("bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    light, dark = _variables(i.light for i in INKS), _variables(i.dark for i in INKS)
    return template.render(page=page, markup=_markup(page), light=light, dark=dark)


def _markup(page: Page) -> dict[str, Markup]:
    """The figures that the page shows, by name; matplotlib has escaped all text in them."""
    shown: dict[str, Markup] = {}
    room = INLINE_BYTES
    for figure in (figure for section in page.sections for figure in section.figures):
        room -= len(figure.markup)
        if room >= 0:
            shown[figure.name] = Markup(figure.markup)
    return shown


def _variables(colors: Iterable[str]) -> Markup:
    """Declarations of the figures' colours for a style sheet."""
    pairs = zip(INKS, colors, strict=True)
    return Markup(" ".join(f"--{ink.name}: {color};" for ink, color in pairs))
