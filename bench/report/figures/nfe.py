"""Every metric against the measured NFE, and against the depth where it is another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.extensions.data import SubjectData
from bench.extensions.figure import SubjectFigure, View
from bench.report.drawing.panels import DEPTH, NFE, draw_panels, panels
from bench.results.roles import errors, exact_partners, primary


def views(subject: SubjectData) -> Iterator[View]:
    """Select all metrics but errors, which have a figure of their own against NFE alone."""
    points = subject.points
    chosen = set(primary(points)) - errors(points)
    partners = {exact for metric, exact in exact_partners(points).items() if metric in chosen}
    others = points[points["metric"].isin(chosen | partners)]
    if shown := panels(others, NFE, subject.base_points):
        yield View(partial(draw_panels, shown, NFE))
    if any(points["depth"] < points["nfe"]) and (deep := panels(points, DEPTH)):
        yield View(partial(draw_panels, deep, DEPTH), "Depth versus every metric", "depth")


FIGURE = SubjectFigure(name="nfe", title="NFE versus every metric", rank=0, views=views)
