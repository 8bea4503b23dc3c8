"""The page: one HTML file that holds everything and asks for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.extensions.data import SubjectData
from bench.extensions.figure import CurveStyle
from bench.printable import printable
from bench.published.text import Block
from bench.render.table import Mark, Table
from bench.report.data.best import BestValue
from bench.report.data.comparison import BaseRun
from bench.report.data.failures import FailedRows, SamplerNote
from bench.report.data.orders import Order
from bench.report.data.protocol import ProtocolSummary
from bench.report.drawing.canvas import Drawing
from bench.report.methods import Methods
from bench.report.styles import INKS
from bench.results.frame import with_params

PAGE_BYTES = 2_900_000
"""Of the whole page. Tables, and then figures, that it has no room for are files next to it."""

TABLE_BYTES = 900_000
"""Of the tables on the page, roughly."""


@dataclass(frozen=True)
class PageSection:
    """One section of the page.

    Attributes:
        anchor: its place in the page.
        title: its heading.
        subject: of the section; None for one across subjects.
        figures: those that matter most first.
        tables: of values, then of ranks.
        orders: of the subject.
        hidden: how many tables the page has no room for.
    """

    anchor: str
    title: str
    subject: SubjectData | None
    figures: tuple[Drawing, ...]
    tables: tuple[Table, ...] = ()
    orders: tuple[Order, ...] = ()
    hidden: int = 0

    @property
    def tex(self) -> str:
        """Name of the file with its tables as LaTeX."""
        return f"tables-{self.anchor.removeprefix('subject-')}.tex"


@dataclass(frozen=True)
class Page:
    """All that the template shows."""

    run: str
    rows: int
    started: tuple[str, str]
    statuses: dict[str, int]
    best: tuple[BestValue, ...]
    sections: tuple[PageSection, ...]
    failures: tuple[FailedRows, ...]
    failures_hidden: int
    notes: tuple[SamplerNote, ...]
    published: tuple[Block, ...]
    protocol: ProtocolSummary
    methods: Methods | None
    comparison: BaseRun | None
    budgets: tuple[str, ...]
    styles: Mapping[str, CurveStyle]
    files: tuple[str, ...] = ()
    undrawn: int = 0
    printed: int = 0
    damaged: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    def choices(self, name: str) -> tuple[str, ...]:
        """Return the distinct suites, models or processes; none where there is one."""
        subjects = [section.subject for section in self.sections if section.subject]
        unique = tuple(dict.fromkeys(str(getattr(subject, name)) for subject in subjects))
        return unique if len(unique) > 1 else ()

    def number(self, curve: str) -> int:
        """Return the number by which the script knows a curve; -1 where no figure can have it."""
        style = self.styles.get(curve)
        return style.number if style else -1

    @property
    def curves(self) -> tuple[tuple[int, str], ...]:
        """All curves with their numbers."""
        return tuple((style.number, curve) for curve, style in self.styles.items())


def render(page: Page) -> str:
    """Render the page as HTML.

    Figures beyond what a page of reasonable size can hold are named, not shown.
    """
    bare = _render(page, {})
    return _render(page, _markup(page, PAGE_BYTES - len(bare.encode())))


def _render(page: Page, markup: Mapping[str, Markup]) -> str:
    script = _read_part("page.js")
    light, dark = _variables(i.light for i in INKS), _variables(i.dark for i in INKS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            markup=markup,
            style=Markup(_read_part("page.css")),
            script=Markup(script),
            script_hash=Markup(digest),
            light=light,
            dark=dark,
            with_params=with_params,
            best=Mark.BEST,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("bench.report"),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: object) -> object:
    """Make a text printable; figures and the page's own parts are as they are."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _read_part(name: str) -> str:
    return (files("bench.report") / "templates" / name).read_text(encoding="utf-8")


def _markup(page: Page, room: int) -> dict[str, Markup]:
    """Choose the figures that the page shows; matplotlib has escaped all text in them.

    The first of every section come before the second of any.
    """
    shown: dict[str, Markup] = {}
    ranked = sorted(
        (
            (place, number)
            for number, section in enumerate(page.sections)
            for place in range(len(section.figures))
        ),
    )
    for place, number in ranked:
        figure = page.sections[number].figures[place]
        size = len(figure.markup.encode())
        if size <= room:
            room -= size
            shown[figure.name] = Markup(figure.markup)
    return shown


def _variables(colors: Iterable[str]) -> Markup:
    """Declare the figures' colours for a style sheet."""
    pairs = zip(INKS, colors, strict=True)
    return Markup(" ".join(f"--{ink.name}: {color};" for ink, color in pairs))


def fit_tables(sections: Iterable[PageSection]) -> tuple[PageSection, ...]:
    """Keep as many tables of each section as the page has room for, one at least."""
    every = list(sections)
    room = TABLE_BYTES // max(1, len(every))
    return tuple(_cut(section, room) for section in every)


def _cut(section: PageSection, room: int) -> PageSection:
    kept: list[Table] = []
    for table in section.tables:
        room -= sum(60 + 60 * len(row) for row in table.rows)
        if room < 0 and kept:
            break
        kept.append(table)
    return replace(section, tables=tuple(kept), hidden=len(section.tables) - len(kept))
