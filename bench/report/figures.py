"""Which figures a subject gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd

from bench.report import curves, heat, pareto, sample_grid, sample_layout, work_precision
from bench.report.jobs import Job
from bench.report.looks import Look
from bench.report.order import Order, floor, orders
from bench.results.frame import points
from bench.results.roles import errors, exact_partners, primary, references


@dataclass(frozen=True)
class Studio:
    """What drawing a subject needs besides its rows.

    Attributes:
        looks: of all curves of the report.
        samples: where the samples of the cells are.
        images: how many images the sample grid of one subject may hold.
    """

    looks: Mapping[str, Look]
    samples: sample_grid.Folder
    images: int


@dataclass(frozen=True)
class Topic:
    """A subject, ready to be drawn.

    Attributes:
        title: for the headings.
        name: fit for file names.
        rows: of the subject.
        means: its points.
        before: rows of the same subject in a run to compare with, or None.
    """

    title: str
    name: str
    rows: pd.DataFrame
    means: pd.DataFrame
    before: pd.DataFrame | None = None


@dataclass(frozen=True)
class Fits:
    """The orders of one error metric under one protocol, and the level below which none counts."""

    points: pd.DataFrame
    level: float
    orders: tuple[Order, ...]


def fits(means: pd.DataFrame) -> tuple[Fits, ...]:
    """The measured orders of one subject."""
    distances = means[means["metric"].isin(errors(means))]
    parts = (part for _, part in distances.groupby(["metric", "protocol"], sort=False))
    return tuple(_fit(part, means) for part in parts)


def jobs(topic: Topic, found: tuple[Fits, ...], studio: Studio) -> tuple[Job, ...]:
    """All figures of one subject, to be drawn.

    Args:
        topic: the subject.
        found: its measured orders.
        studio: see there.
    """
    timed = points(topic.rows, "hardware")
    return (
        *_nfe(topic, studio),
        *_pareto(topic, timed, studio),
        *_wall_clock(topic, timed, studio),
        *_work_precision(topic, found, studio),
        *_heat(topic),
        _samples(topic, studio),
    )


def _fit(points: pd.DataFrame, means: pd.DataFrame) -> Fits:
    name = references(means).get(str(points["metric"].iloc[0]), "")
    known = means.loc[means["metric"].eq(name), "value"]
    level = floor(points, float(known.max()) if len(known) else None)
    return Fits(points, level, orders(points, level))


def _nfe(topic: Topic, studio: Studio) -> Iterator[Job]:
    # errors have a diagram of their own
    means = topic.means
    chosen = set(primary(means)) - errors(means)
    partners = {exact for metric, exact in exact_partners(means).items() if metric in chosen}
    others = means[means["metric"].isin(chosen | partners)]
    before = None if topic.before is None else points(topic.before)
    panels = curves.panels(others, curves.NFE, before)
    if panels:
        heading = f"NFE versus every metric. {topic.title}"
        name = f"nfe-{topic.name}"
        yield Job(0, partial(curves.draw, panels, curves.NFE, studio.looks, heading, name))


def _pareto(topic: Topic, timed: pd.DataFrame, studio: Studio) -> Iterator[Job]:
    shown = pareto.fronts(topic.means, timed)
    if shown:
        heading = f"Pareto fronts of quality and cost. {topic.title}"
        yield Job(1, partial(pareto.draw, shown, studio.looks, heading, f"pareto-{topic.name}"))


def _wall_clock(topic: Topic, timed: pd.DataFrame, studio: Studio) -> Iterator[Job]:
    before = None if topic.before is None else points(topic.before, "hardware")
    panels = curves.panels(timed, curves.WALL_CLOCK, before)
    if panels:
        heading = f"Wall-clock versus every metric. {topic.title}"
        name = f"wall-{topic.name}"
        yield Job(6, partial(curves.draw, panels, curves.WALL_CLOCK, studio.looks, heading, name))


def _work_precision(topic: Topic, found: tuple[Fits, ...], studio: Studio) -> Iterator[Job]:
    for i, fit in enumerate(found):
        if not (fit.points["value"].gt(0) & fit.points["nfe"].gt(0)).any():
            continue
        heading = f"Solver error versus NFE, with measured orders. {topic.title}"
        name = f"order-{topic.name}" + (f"-{i + 1}" if i else "")
        shown = fit.points, fit.level, fit.orders
        yield Job(2, partial(work_precision.draw, *shown, studio.looks, heading, name))


def _heat(topic: Topic) -> Iterator[Job]:
    parts = topic.rows[["curve", "base", "sampler", "with_corrector", "on_grid"]].drop_duplicates()
    for lines, columns, words in (
        ("base", "with_corrector", "Predictor by corrector"),
        ("sampler", "on_grid", "Solver by time grid"),
    ):
        shown = heat.sheets(topic.means, parts, lines, columns)
        if shown:
            name = f"heat-{topic.name}-{columns.rpartition('_')[2]}"
            yield Job(3, partial(heat.draw, shown, f"{words}. {topic.title}", name))


def _samples(topic: Topic, studio: Studio) -> Job:
    columns = [*sample_layout.COLUMNS, "status"]
    shown = topic.rows[columns].drop_duplicates(["key", "status"])
    heading, name = f"Samples from the same noise. {topic.title}", f"samples-{topic.name}"
    arguments = shown, studio.samples, studio.looks, heading, name, studio.images
    return Job(5, partial(sample_grid.draw, *arguments))
