"""`bench report`: from a results folder to a page, figures and tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pandas as pd

from bench.core.errors import BenchError
from bench.report.figures import Studio, fits, jobs
from bench.report.files import write_tables
from bench.report.frame import points, prepared, subjects
from bench.report.jobs import drawn
from bench.report.looks import looks
from bench.report.page import Page, Section, render
from bench.report.provenance import provenance, started
from bench.report.sample_grid import IMAGES_PER_REPORT, Folder
from bench.report.summary import cells_by_status
from bench.report.tables import (
    MAX_FAILURES,
    best_values,
    failures,
    notes,
    tables,
    wall_clock_table,
)
from bench.report.text import slug
from bench.run.store import Store


@dataclass(frozen=True)
class Report:
    """The files of a report.

    Attributes:
        page: the self-contained HTML file.
        figures: each figure as SVG and as PNG.
        tables: `table.csv` (all rows), `points.csv` (what the figures show), `orders.csv`.
    """

    page: Path
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]


def write_report(results: Path, out: Path) -> Report:
    """Read the results of a run and write its report.

    Args:
        results: folder of the run, as `bench run` wrote it.
        out: folder of the report, by custom `report` within `results`; made where it does not
            exist. Files of the same names are replaced.

    Raises:
        BenchError: there are no results, they are damaged, or the report cannot be written.
    """
    store = Store(results)
    store.consolidate()
    raw = store.load()
    try:
        out.mkdir(parents=True, exist_ok=True)
        return _write(raw, results, out)
    except OSError as error:
        raise BenchError(
            f"{out}: the report cannot be written ({error.strerror}); free space or choose "
            "another folder"
        ) from None


def _write(raw: pd.DataFrame, results: Path, out: Path) -> Report:
    frame = prepared(raw)
    means = points(frame)
    sections = _sections(frame, Folder(results / "samples"), out)
    orders = tuple((section.title, order) for section in sections for order in section.orders)
    written = write_tables(raw, means, orders, out)
    page = _page(frame, means, sections, results.name, tuple(path.name for path in written))
    path = out / "index.html"
    path.write_text(render(page), encoding="utf-8")
    figures = (figure for section in sections for figure in section.figures)
    return Report(path, tuple(file for figure in figures for file in figure.files), written)


def _page(
    frame: pd.DataFrame,
    means: pd.DataFrame,
    sections: tuple[Section, ...],
    name: str,
    files: tuple[str, ...],
) -> Page:
    failed = failures(frame)
    return Page(
        run=", ".join(frame["run"].unique()) or name,
        rows=len(frame),
        started=started(frame),
        statuses=cells_by_status(frame),
        best=best_values(means),
        sections=sections,
        failures=failed[:MAX_FAILURES],
        failures_hidden=max(0, len(failed) - MAX_FAILURES),
        notes=notes(frame)[:MAX_FAILURES],
        provenance=provenance(frame),
        files=files,
    )


def _sections(frame: pd.DataFrame, samples: Folder, out: Path) -> tuple[Section, ...]:
    parts = list(subjects(frame))
    studio = Studio(looks(frame), samples, IMAGES_PER_REPORT // max(1, len(parts)))
    sections, tasks = [], []
    for i, (subject, part) in enumerate(parts, start=1):
        name = f"{i:02d}-{slug(subject.name)}"
        means, title = points(part), subject.title
        found = fits(means)
        tasks.append(jobs(title, name, part, found, studio))
        sections.append(
            Section(
                anchor=f"subject-{name}",
                title=title,
                figures=(),
                tables=(*tables(means), *wall_clock_table(means)),
                orders=tuple(order for fit in found for order in fit.orders),
            )
        )
    figures = iter(drawn([job for task in tasks for job in task], out))
    return tuple(
        replace(section, figures=tuple(f for f in islice(figures, len(task)) if f is not None))
        for section, task in zip(sections, tasks, strict=True)
    )
