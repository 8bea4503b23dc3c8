"""`bench report`: from a results folder to a page, figures and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from bench.core.errors import BenchError
from bench.render import latex
from bench.render.labels import slug, tick
from bench.report import path_figure, profiles
from bench.report.field import Field, fields
from bench.report.figures import Studio, Topic, fits, jobs
from bench.report.files import (
    Tidy,
    forget_stale,
    remember,
    write_latex,
    write_methods,
    write_overall,
    write_tables,
)
from bench.report.jobs import Job, drawn
from bench.report.looks import Look, looks
from bench.report.methods import methods
from bench.report.page import TABLE_BYTES, Page, Section, render
from bench.report.problems import problems
from bench.report.provenance import provenance, started
from bench.report.published import published
from bench.report.rank_table import rank_tables, tidy
from bench.report.ranks import ranking
from bench.report.sample_grid import IMAGES_PER_REPORT, Folder
from bench.report.standing import overall_table, profile_points, standing
from bench.report.summary import cells_by_status
from bench.report.tables import (
    MAX_FAILURES,
    Table,
    best_values,
    failures,
    for_paper,
    notes,
    tables,
    wall_clock_table,
)
from bench.report.verdicts import Other, other
from bench.results import damage
from bench.results.frame import Subject, points, prepared, subjects
from bench.results.places import names_in
from bench.results.store import Store


@dataclass(frozen=True)
class Report:
    """The files of a report.

    Attributes:
        page: the self-contained HTML file.
        figures: each figure as SVG, the first of them as PDF and PNG too.
        tables: `table.csv` (all rows), `points.csv` (what the figures show), `orders.csv`,
            `ranks.csv`, `best.csv`, and where samplers share models `overall.csv` and
            `profiles.csv`; `tables-*.tex`; `methods.tex` and `references.bib`.
        damaged: files of the results that no number rests on, and that were left out.
        comparison: the verdict on the whole beside another run; empty without one.
    """

    page: Path
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]
    damaged: tuple[str, ...] = ()
    comparison: str = ""


@dataclass(frozen=True)
class _Part:
    """A subject on its way into the page."""

    section: Section
    jobs: tuple[Job, ...]
    ranking: pd.DataFrame
    latex: str


LARGE_ROWS, LARGE_FIGURES = 20_000, 8
"""A run with more rows than these is drawn in so many figures, unless more are asked for."""

PRINTED, LARGE_PRINTED = 12, 4
"""Figures that are written as PDF and PNG too, and how many of a run that large."""


def write_report(
    results: Path, out: Path, base: str | None = None, most: int | None = None
) -> Report:
    """Read the results of a run and write its report.

    Args:
        results: folder of the run, as `bench run` wrote it.
        out: folder of the report, by custom `report` within `results`; made where it does not
            exist. Files of the same names are replaced, files of a former report removed.
        base: another run (a folder, or a git revision of the baseline, as `bench compare` takes
            them), whose curves are shown behind those of this one, with the verdicts.
        most: how many figures are drawn, those that matter most; 0: all; None: all, but of a run
            of more than ``LARGE_ROWS`` rows ``LARGE_FIGURES``.

    Raises:
        BenchError: there are no results, they are damaged, or the report cannot be written.
    """
    raw = _loaded(results)
    before = other(base, results) if base is not None else None
    try:
        out.mkdir(parents=True, exist_ok=True)
        return _write(raw, before, results, out, most)
    except OSError as error:
        raise BenchError(
            f"{out}: the report cannot be written ({error.strerror}); free space or choose "
            "another folder"
        ) from None


def _loaded(results: Path) -> pd.DataFrame:
    store = Store(results)
    store.consolidate()
    return store.load()


def _write(
    raw: pd.DataFrame, base: Other | None, results: Path, out: Path, asked: int | None
) -> Report:
    frame, before = _prepared(raw, base)
    means = points(frame)
    look = looks(frame)
    parts = list(subjects(frame))
    studio = Studio(look, Folder(results / "samples"), IMAGES_PER_REPORT // max(1, len(parts)))
    field = fields(problems(frame)) if len(parts) > 1 else ()
    with ThreadPoolExecutor(1) as beside:  # a bootstrap: numpy lets the other core go on
        summaries = beside.submit(lambda: [standing(one) for one in field])
        bodies = [
            _subject(i, subject, part, before, studio) for i, (subject, part) in enumerate(parts, 1)
        ]
        stands = summaries.result()
    found = [
        *_overall(field, stands, look),
        *bodies,
        *_paths(results / "paths", [subject for subject, _ in parts], _names(raw, base)),
    ]
    every = [job for part in found for job in part.jobs]
    most = _most(asked, len(raw), len(every))
    printed = LARGE_PRINTED if len(raw) > LARGE_ROWS else PRINTED
    figures = iter(drawn(every, out, most, printed))
    sections = _fitting(
        replace(p.section, figures=tuple(f for f in islice(figures, len(p.jobs)) if f is not None))
        for p in found
    )
    text = methods(frame, Store(results).references())
    damaged = _damaged(Store(results), frame["key"].unique())
    best = best_values(means)
    orders = tuple((section.title, order) for section in sections for order in section.orders)
    ranked = [tidy(part.ranking, part.section.subject) for part in found if part.section.subject]
    written = (
        *write_tables(Tidy(raw, means, orders, ranked, best), out),
        *write_overall(stands, profile_points(field), out),
        *write_latex({p.section.anchor: p.latex for p in found if p.latex}, out),
        *write_methods(text, out),
    )
    page = Page(
        run=", ".join(frame["run"].unique()) or results.name,
        rows=len(frame),
        started=started(frame),
        statuses=cells_by_status(frame),
        best=best,
        sections=sections,
        failures=(failed := failures(frame))[:MAX_FAILURES],
        failures_hidden=max(0, len(failed) - MAX_FAILURES),
        notes=notes(frame)[:MAX_FAILURES],
        published=published(raw),
        provenance=provenance(frame),
        methods=text,
        comparison=base,
        budgets=tuple(tick(budget) for budget in sorted(frame["budget"].dropna().unique())),
        looks=look,
        files=tuple(path.name for path in written if path.suffix != ".tex"),
        undrawn=len(every) - most,
        printed=printed,
        damaged=damaged,
    )
    path = out / "index.html"
    path.write_text(render(page), encoding="utf-8")
    drawings = tuple(file for section in sections for f in section.figures for file in f.files)
    forget_stale(out, (path, *drawings, *written))
    remember(out, (path, *drawings, *written))
    return Report(path, drawings, written, damaged, base.headline if base else "")


def _damaged(store: Store, keys: Iterable[str]) -> tuple[str, ...]:
    """Pictures and papers that the page goes without; a damaged cell is an error before."""
    found = (*damage.singles(store), *damage.samples(store, keys), *damage.paths(store))
    return tuple(damage.lines(found))


def _most(asked: int | None, rows: int, figures: int) -> int:
    """How many figures are drawn."""
    if asked is None:
        return min(LARGE_FIGURES, figures) if rows > LARGE_ROWS else figures
    return min(asked, figures) if asked else figures


def _prepared(raw: pd.DataFrame, base: Other | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The rows of the run and of the other one, with protocols numbered alike in both."""
    if base is None:
        return prepared(raw), None
    both = prepared(pd.concat([raw, base.frame], ignore_index=True))
    own = np.arange(len(both)) < len(raw)
    return both[own].reset_index(drop=True), both[~own].reset_index(drop=True)


def _subject(
    number: int, subject: Subject, rows: pd.DataFrame, before: pd.DataFrame | None, studio: Studio
) -> _Part:
    name = f"{number:02d}-{slug(subject.name)}"
    means, title = points(rows), subject.title
    found, ranked = fits(means), ranking(rows)
    values = (*tables(means), *wall_clock_table(means))
    units = dict(zip(means["metric"], means["unit"], strict=True))
    ranks = rank_tables(ranked, units)
    section = Section(
        anchor=f"subject-{name}",
        title=title,
        subject=subject,
        figures=(),
        tables=values,
        ranks=ranks,
        orders=tuple(order for fit in found for order in fit.orders),
    )
    topic = Topic(title, name, rows, means, _of(subject, before))
    return _Part(section, jobs(topic, found, studio), ranked, _latex(title, (*values, *ranks)))


def _overall(
    field: Sequence[Field], stands: Sequence[pd.DataFrame], look: Mapping[str, Look]
) -> Iterator[_Part]:
    """The section across all subjects, where samplers share some."""
    if not field:
        return
    shown = tuple(overall_table(*both) for both in zip(field, stands, strict=True))
    title, name = "Over all models", "over-all-models"
    section = Section(name, title, None, (), tables=shown)
    # more than the figure shows are for the CSV file alone
    few = tuple(field[: profiles.MAX_FIELDS])
    job = Job(1, partial(profiles.draw, few, len(field), look, "Profiles. Over all models", name))
    text = "\n".join(latex.latex_table(for_paper(title, table)) for table in shown)
    yield _Part(section, (job,), pd.DataFrame(), text)


def _of(subject: Subject, before: pd.DataFrame | None) -> pd.DataFrame | None:
    """The rows of the other run about the same subject; None where it has none."""
    if before is None:
        return None
    found = [part for known, part in subjects(before) if known == subject]
    return found[0] if found else None


def _names(raw: pd.DataFrame, base: Other | None) -> dict[str, str]:
    """What files are called in the report."""
    return names_in(raw if base is None else pd.concat([raw, base.frame], ignore_index=True))


def _paths(folder: Path, wanted: Sequence[Subject], called: Mapping[str, str]) -> Iterator[_Part]:
    pictures = path_figure.pictures(folder, wanted, called)
    for i, (model, shown) in enumerate(pictures.items(), start=1):
        title = f"From data to noise and back: {model}"
        name = f"paths-{i:02d}-{slug(model)}"
        section = Section(f"section-{name}", title, None, ())
        job = Job(4, partial(path_figure.draw, shown, title, name))
        yield _Part(section, (job,), pd.DataFrame(), "")


def _latex(title: str, shown: Iterable[Table]) -> str:
    return "\n".join(latex.latex_table(for_paper(title, table)) for table in shown)


def _fitting(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections with as many tables as the page has room for: the first of each, if no more."""
    every = list(sections)
    room = TABLE_BYTES // max(1, len(every))
    return tuple(_cut(section, room) for section in every)


def _cut(section: Section, room: int) -> Section:
    kept: list[Table] = []
    for table in (*section.tables, *section.ranks):
        room -= sum(120 + 60 * len(line.values) for line in table.lines)
        if room < 0 and kept:
            break
        kept.append(table)
    count = len(section.tables)
    hidden = count + len(section.ranks) - len(kept)
    return replace(section, tables=tuple(kept[:count]), ranks=tuple(kept[count:]), hidden=hidden)
