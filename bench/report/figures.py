"""Which figures a subject gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd

from bench.report import curves, sample_grid, sample_layout, work_precision
from bench.report.frame import exact_partners, points, primary
from bench.report.jobs import Job
from bench.report.looks import Look
from bench.report.order import Order, floor, is_error, orders


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
class Fits:
    """The orders of one error metric under one protocol, and the level below which none counts."""

    points: pd.DataFrame
    level: float
    orders: tuple[Order, ...]


def fits(means: pd.DataFrame) -> tuple[Fits, ...]:
    """The measured orders of one subject."""
    errors = means[means["metric"].map(is_error)]
    parts = (part for _, part in errors.groupby(["metric", "protocol"], sort=False))
    return tuple(_fit(part, means) for part in parts)


def jobs(
    title: str, name: str, frame: pd.DataFrame, found: tuple[Fits, ...], studio: Studio
) -> tuple[Job, ...]:
    """All figures of one subject, to be drawn.

    Args:
        title: the subject's, for the headings.
        name: the subject's, fit for file names.
        frame: the subject's rows.
        found: its measured orders.
        studio: see there.
    """
    return (
        *_nfe(title, name, frame, studio),
        *_wall_clock(title, name, frame, studio),
        *_work_precision(title, name, found, studio),
        _samples(title, name, frame, studio),
    )


def _fit(points: pd.DataFrame, means: pd.DataFrame) -> Fits:
    name = f"{points['metric'].iloc[0]}_reference"
    known = means.loc[means["metric"].eq(name), "value"]
    level = floor(points, float(known.max()) if len(known) else None)
    return Fits(points, level, orders(points, level))


def _nfe(title: str, name: str, frame: pd.DataFrame, studio: Studio) -> Iterator[Job]:
    means = points(frame)
    # errors have a diagram of their own
    names = list(means["metric"].unique())
    chosen = {metric for metric in primary(names) if not is_error(metric)}
    partners = {partner for metric, partner in exact_partners(names).items() if metric in chosen}
    others = means[means["metric"].isin(chosen | partners)]
    panels = curves.panels(others, curves.NFE)
    if panels:
        heading = f"NFE versus every metric. {title}"
        yield Job(
            0,
            partial(curves.draw, panels, curves.NFE, studio.looks, heading, f"nfe-{name}"),
        )


def _wall_clock(title: str, name: str, frame: pd.DataFrame, studio: Studio) -> Iterator[Job]:
    panels = curves.panels(points(frame, "hardware"), curves.WALL_CLOCK)
    if panels:
        heading = f"Wall-clock versus every metric. {title}"
        yield Job(
            6,
            partial(
                curves.draw,
                panels,
                curves.WALL_CLOCK,
                studio.looks,
                heading,
                f"wall-{name}",
            ),
        )


def _work_precision(
    title: str, name: str, found: tuple[Fits, ...], studio: Studio
) -> Iterator[Job]:
    for i, fit in enumerate(found):
        if not (fit.points["value"].gt(0) & fit.points["nfe"].gt(0)).any():
            continue
        heading = f"Solver error versus NFE, with measured orders. {title}"
        file = f"order-{name}" + (f"-{i + 1}" if i else "")
        yield Job(
            2,
            partial(
                work_precision.draw,
                fit.points,
                fit.level,
                fit.orders,
                studio.looks,
                heading,
                file,
            ),
        )


def _samples(title: str, name: str, frame: pd.DataFrame, studio: Studio) -> Job:
    columns = [*sample_layout.COLUMNS, "status"]
    return Job(
        5,
        partial(
            sample_grid.draw,
            frame[columns].drop_duplicates(["key", "status"]),
            studio.samples,
            studio.looks,
            f"Samples from the same noise. {title}",
            f"samples-{name}",
            studio.images,
        ),
    )
