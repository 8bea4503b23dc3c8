"""Plans the figures of a report: finds them, selects their views and sorts these by section."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.extensions.data import OVERALL, RunData, SubjectData
from bench.extensions.figure import Figure, RunFigure, SubjectFigure, View
from bench.extensions.find import FIGURES, extensions
from bench.report.drawing.processes import DrawingFault, DrawingJob

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class OwnedFigure:
    """A figure and whose it is, for messages."""

    figure: Figure
    owner: str


@dataclass(frozen=True)
class PlannedSection:
    """The figures of one section of the page; ``subject`` is None for one across subjects."""

    title: str
    subject: SubjectData | None
    jobs: tuple[DrawingJob, ...]

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        if self.subject is not None:
            return f"subject-{self.subject.name}"
        return "over-all-models" if self.title == OVERALL else f"section-{self.jobs[0].name}"


@dataclass(frozen=True)
class FigurePlan:
    """All figures of a report by section, and those that cannot be drawn."""

    sections: tuple[PlannedSection, ...]
    faults: tuple[DrawingFault, ...]


def plan_figures(run: RunData) -> FigurePlan:
    """Plan the figures over all models, those of each subject, and those of other sections."""
    figures, faults = load_figures()
    across: dict[str, list[DrawingJob]] = {OVERALL: []}
    for owned in figures:
        try:
            for section, job in _across(owned, run):
                across.setdefault(section, []).append(job)
        except (Exception, SystemExit) as error:
            faults.append(DrawingFault.of(owned.owner, error))
    subjects = []
    for subject in run.subjects:
        jobs: list[DrawingJob] = []
        for owned in figures:
            try:
                jobs += _of_subject(owned, subject)
            except (Exception, SystemExit) as error:
                faults.append(DrawingFault.of(owned.owner, error))
        subjects.append(PlannedSection(subject.title, subject, tuple(jobs)))
    overall, *others = (PlannedSection(name, None, tuple(jobs)) for name, jobs in across.items())
    first = [overall] if run.common or overall.jobs else []
    return FigurePlan((*first, *subjects, *others), tuple(dict.fromkeys(faults)))


def load_figures() -> tuple[list[OwnedFigure], list[DrawingFault]]:
    """Find the figures of all packages, in the order of a section, and those that are none."""
    found: dict[str, OwnedFigure] = {}
    faults: list[DrawingFault] = []
    for extension in extensions(FIGURES, "bench_figures"):
        package = f"'{extension.entry_point}' of '{extension.distribution}'"
        if extension.fault:
            faults.append(DrawingFault(f"figures {package}", extension.fault))
        for figure in extension.items:
            owner = f"figure '{getattr(figure, 'name', figure)}' of '{extension.distribution}'"
            if not isinstance(figure, SubjectFigure | RunFigure):
                faults.append(DrawingFault(owner, "is no SubjectFigure and no RunFigure"))
            elif not _NAME.fullmatch(figure.name):
                faults.append(DrawingFault(owner, "its name is not of a-z, 0-9 and hyphens"))
            elif figure.name in found:
                faults.append(DrawingFault(owner, f"{found[figure.name].owner} has this name"))
            else:
                found[figure.name] = OwnedFigure(figure, owner)
    return sorted(found.values(), key=lambda owned: owned.figure.order), faults


def _across(owned: OwnedFigure, run: RunData) -> list[tuple[str, DrawingJob]]:
    figure = owned.figure
    if not isinstance(figure, RunFigure):
        return []
    views = list(figure.views(run))
    titles = [view.title or figure.title for view in views]
    jobs = _jobs(owned, views, titles, [])
    return [(view.section or figure.title, job) for view, job in zip(views, jobs, strict=True)]


def _of_subject(owned: OwnedFigure, subject: SubjectData) -> list[DrawingJob]:
    figure = owned.figure
    if not isinstance(figure, SubjectFigure):
        return []
    views = list(figure.views(subject))
    titles = [f"{view.title or figure.title}. {subject.title}" for view in views]
    return _jobs(owned, views, titles, [subject.name])


def _jobs(
    owned: OwnedFigure, views: Iterable[View], titles: Iterable[str], subject: Iterable[str]
) -> list[DrawingJob]:
    figure = owned.figure
    jobs = [
        DrawingJob(
            name="-".join([figure.name, *subject, *filter(None, [view.suffix])]),
            title=title,
            owner=owned.owner,
            rank=figure.rank,
            draw=view.draw,
        )
        for view, title in zip(views, titles, strict=True)
    ]
    names = [job.name for job in jobs]
    for name in names:
        if not _NAME.fullmatch(name) or names.count(name) > 1:
            raise BenchError(f"suffixes of views must be distinct, of a-z, 0-9 and hyphens: {name}")
    return jobs
