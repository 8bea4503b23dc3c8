"""Every metric against the sampling time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.extensions.data import SubjectData
from bench.extensions.figure import SubjectFigure, View
from bench.report.drawing.panels import WALL_CLOCK, draw_panels, panels


def views(subject: SubjectData) -> Iterator[View]:
    """Select all metrics whose times are known."""
    shown = panels(subject.timed, WALL_CLOCK, subject.base_timed)
    if shown:
        yield View(partial(draw_panels, shown, WALL_CLOCK))


FIGURE = SubjectFigure(
    name="wall", title="Wall-clock versus every metric", rank=60, place=15, views=views
)
