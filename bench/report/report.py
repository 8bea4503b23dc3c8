"""`bench report`: from a results folder to a page, figures and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pandas as pd

from bench.core.errors import BenchError
from bench.extensions.data import OVERALL, RunData
from bench.extensions.figure import CurveStyle
from bench.files.links import refuse_links
from bench.render.labels import tick
from bench.report.data.aggregates import aggregate, overall_table, profile_points
from bench.report.data.best import BestValue, best_frame, best_values
from bench.report.data.failures import MAX_FAILURES, failures, notes
from bench.report.data.fronts import mark_fronts
from bench.report.data.orders import order_frame
from bench.report.data.prepare import prepare
from bench.report.data.protocol import protocol_summary, start_times
from bench.report.data.published import published_blocks
from bench.report.data.ranks import rank_frame
from bench.report.data.subject import SubjectTables, tabulate
from bench.report.drawing.canvas import Drawing
from bench.report.drawing.processes import DrawingFault, Drawn, draw_all
from bench.report.methods import methods
from bench.report.outputs import list_files, remove_stale, write_csv, write_latex, write_methods
from bench.report.page import Page, PageSection, fit_tables, render
from bench.report.plan import FigurePlan, plan_figures
from bench.report.source import ReportSource, read
from bench.report.styles import curve_styles
from bench.report.summary import cells_by_status
from bench.results.frame import SUBJECT


@dataclass(frozen=True)
class Report:
    """The files of a report.

    Attributes:
        page: the self-contained HTML file.
        figures: each figure as SVG, the first of them as PDF and PNG too.
        tables: `table.csv` (all rows), `points.csv` (what the figures show), `orders.csv`,
            `ranks.csv`, `best.csv`, and where samplers share models `overall.csv` and
            `profiles.csv`; `tables-*.tex`; `methods.tex` and `references.bib`.
        damaged: what was left out: files of the results that no number rests on, and figures that
            could not be drawn.
        comparison: the verdict on the whole beside another run; empty without one.
    """

    page: Path
    figures: tuple[Path, ...]
    tables: tuple[Path, ...]
    damaged: tuple[str, ...] = ()
    comparison: str = ""


@dataclass(frozen=True)
class _Content:
    """Everything that figures, tables and page are made from."""

    source: ReportSource
    run: RunData
    styles: Mapping[str, CurveStyle]
    plan: FigurePlan
    subjects: Sequence[SubjectTables]
    aggregates: Sequence[pd.DataFrame]


LARGE_ROWS, LARGE_FIGURES = 20_000, 8
"""A run with more rows than these is drawn in so many figures, unless more are wanted for."""

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
    refuse_links(results, dangling=False)
    source = read(results, base)
    try:
        out.mkdir(parents=True, exist_ok=True)
        refuse_links(out)
        return _write(_prepare(source), out, most)
    except OSError as error:
        raise BenchError(
            f"{out}: the report cannot be written ({error.strerror}); free space or choose "
            "another folder"
        ) from None


def _prepare(source: ReportSource) -> _Content:
    run = prepare(source)
    with ThreadPoolExecutor(1) as beside:  # a bootstrap: numpy lets the other core go on
        aggregates = beside.submit(lambda: [aggregate(common) for common in run.common])
        subjects = [tabulate(subject) for subject in run.subjects]
        plan = plan_figures(run)
        styles = curve_styles(run.rows)
        return _Content(source, run, styles, plan, subjects, aggregates.result())


def _write(content: _Content, out: Path, wanted: int | None) -> Report:
    large = len(content.source.rows) > LARGE_ROWS
    printed = LARGE_PRINTED if large else PRINTED
    jobs = [job for section in content.plan.sections for job in section.jobs]
    most = _count(wanted, large, len(jobs))
    drawn = draw_all(jobs, content.styles, out, most, printed)
    sections = tuple(_sections(content, iter(drawn)))
    faults = [*content.plan.faults, *(item for item in drawn if isinstance(item, DrawingFault))]
    page = _page(content, sections)
    tables = (
        *write_csv(_csv(content, page.best), out),
        *(
            file
            for section in sections
            for file in write_latex(section.title, section.tables, out / section.tex)
        ),
        *write_methods(page.methods, out),
    )
    page = replace(
        page,
        sections=fit_tables(sections),
        files=tuple(path.name for path in tables if path.suffix != ".tex"),
        undrawn=len(jobs) - most,
        printed=printed,
        faults=tuple(dict.fromkeys(map(str, faults))),
    )
    path = out / "index.html"
    path.write_text(render(page), encoding="utf-8")
    figures = tuple(file for section in sections for f in section.figures for file in f.files)
    remove_stale(out, (path, *figures, *tables))
    list_files(out, (path, *figures, *tables))
    base = content.source.base
    headline = base.headline if base else ""
    return Report(path, figures, tables, (*page.damaged, *page.faults), headline)


def _count(wanted: int | None, large: bool, figures: int) -> int:
    """Count the figures that are drawn."""
    if wanted is None:
        return min(LARGE_FIGURES, figures) if large else figures
    return min(wanted, figures) if wanted else figures


def _sections(content: _Content, drawn: Iterator[Drawn]) -> Iterator[PageSection]:
    subjects = iter(content.subjects)
    for planned in content.plan.sections:
        found = list(islice(drawn, len(planned.jobs)))
        section = PageSection(
            anchor=planned.anchor,
            title=planned.title,
            subject=planned.subject,
            figures=tuple(item for item in found if isinstance(item, Drawing)),
        )
        if planned.subject is not None:
            tables = next(subjects)
            section = replace(section, tables=tables.tables, orders=tables.orders)
        elif planned.title == OVERALL:
            both = zip(content.run.common, content.aggregates, strict=True)
            section = replace(section, tables=tuple(overall_table(*pair) for pair in both))
        yield section


def _csv(content: _Content, best: tuple[BestValue, ...]) -> dict[str, pd.DataFrame]:
    """Name the tables that are written as CSV."""
    run = content.run
    subjects = [
        (subject.title, tables)
        for subject, tables in zip(run.subjects, content.subjects, strict=True)
    ]
    shown = mark_fronts(run.points, [*SUBJECT, "metric", "protocol"])
    frames = {
        "table.csv": content.source.rows,
        "points.csv": shown.drop(columns=["protocol", "stochastic"]),
        "orders.csv": order_frame((title, tables.orders) for title, tables in subjects),
        "ranks.csv": rank_frame((title, tables.ranking) for title, tables in subjects),
        "best.csv": best_frame(best),
    }
    if run.common:
        frames["overall.csv"] = pd.concat(content.aggregates, ignore_index=True)
        frames["profiles.csv"] = profile_points(run.common)
    return frames


def _page(content: _Content, sections: tuple[PageSection, ...]) -> Page:
    """Fill the page with all that does not depend on the files."""
    source, rows = content.source, content.run.rows
    failed = failures(rows)
    return Page(
        run=", ".join(rows["run"].unique()) or source.folder.name,
        rows=len(rows),
        started=start_times(rows),
        statuses=cells_by_status(rows),
        best=best_values(content.run.points),
        sections=sections,
        failures=failed[:MAX_FAILURES],
        failures_hidden=max(0, len(failed) - MAX_FAILURES),
        notes=notes(rows)[:MAX_FAILURES],
        published=published_blocks(source.rows),
        protocol=protocol_summary(rows),
        methods=methods(rows, source.references, source.bibtex),
        comparison=source.base,
        budgets=tuple(tick(budget) for budget in sorted(rows["budget"].dropna().unique())),
        styles=content.styles,
        damaged=source.damaged,
    )
