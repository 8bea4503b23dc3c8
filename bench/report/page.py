"""The page: one HTML file that holds everything and asks for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.printable import printable
from bench.published.text import Block
from bench.report.canvas import Drawing
from bench.report.looks import INKS, Look
from bench.report.methods import Methods
from bench.report.order import Order
from bench.report.provenance import Provenance
from bench.report.tables import Best, Failure, Note, Table
from bench.report.verdicts import Other
from bench.results.frame import Subject, with_params

PAGE_BYTES = 2_900_000
"""Of the whole page. Tables, and then figures, that it has no room for are files next to it."""

TABLE_BYTES = 900_000
"""Of the tables on the page, roughly."""


@dataclass(frozen=True)
class Section:
    """What the page says of one subject.

    Attributes:
        anchor: its place in the page.
        title: its heading.
        subject: what it is about; None for a section across subjects.
        figures: those that matter most first.
        tables, ranks, orders: of the subject.
        hidden: how many tables the page has no room for.
    """

    anchor: str
    title: str
    subject: Subject | None
    figures: tuple[Drawing, ...]
    tables: tuple[Table, ...] = ()
    ranks: tuple[Table, ...] = ()
    orders: tuple[Order, ...] = ()
    hidden: int = 0


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
    methods: Methods | None
    comparison: Other | None
    budgets: tuple[str, ...]
    looks: Mapping[str, Look]
    files: tuple[str, ...]
    undrawn: int
    printed: int
    damaged: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What the sections are about."""
        return tuple(s.subject for s in self.sections if s.subject is not None)

    def choices(self, name: str) -> tuple[str, ...]:
        """The distinct suites, models or processes, for a filter; empty where there is one."""
        named = {
            "suite": [subject.suite for subject in self.subjects],
            "model": [with_params(s.model, s.model_params) for s in self.subjects],
            "process": [with_params(s.process, s.process_params) for s in self.subjects],
        }[name]
        unique = tuple(dict.fromkeys(named))
        return unique if len(unique) > 1 else ()

    def number(self, curve: str) -> int:
        """Of a curve, as the script knows it; -1 for one that no figure can have."""
        look = self.looks.get(curve)
        return look.number if look else -1

    @property
    def curves(self) -> tuple[tuple[int, str], ...]:
        """All curves with their numbers."""
        return tuple((look.number, curve) for curve, look in self.looks.items())


def render(page: Page) -> str:
    """The HTML of the page.

    Figures beyond what a page of reasonable size can hold are named, not shown.
    """
    bare = _rendered(page, {})
    return _rendered(page, _markup(page, PAGE_BYTES - len(bare.encode())))


def _rendered(page: Page, markup: Mapping[str, Markup]) -> str:
    script = _part("page.js")
    light, dark = _variables(i.light for i in INKS), _variables(i.dark for i in INKS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            markup=markup,
            style=Markup(_part("page.css")),
            script=Markup(script),
            script_hash=Markup(digest),
            light=light,
            dark=dark,
            with_params=with_params,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("bench.report"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """What the template is about to show; figures and the page's own parts are as they are."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _part(name: str) -> str:
    return (files("bench.report") / "templates" / name).read_text(encoding="utf-8")


def _markup(page: Page, room: int) -> dict[str, Markup]:
    """The figures that the page shows, by name; matplotlib has escaped all text in them.

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
    """Declarations of the figures' colours for a style sheet."""
    pairs = zip(INKS, colors, strict=True)
    return Markup(" ".join(f"--{ink.name}: {color};" for ink, color in pairs))
