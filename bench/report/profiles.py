"""Performance and data profiles: samplers over many problems, a row for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from bench.render.labels import one_line
from bench.report.axes import legend, legend_height, legend_width, log_x
from bench.report.canvas import Sketch, blank
from bench.report.curves import PANEL_HEIGHT, PANEL_WIDTH
from bench.report.field import TARGETS, Field
from bench.report.looks import Look
from bench.report.standing import CAPTION
from bench.report.svg import Part, Tags
from bench.stats.profiles import Profile, changes, data, performance

MAX_FIELDS = 3
"""Rows of the figure."""

STEPS = 150
"""Of a performance profile; its file has more."""


def draw(
    shown: Sequence[Field], count: int, looks: Mapping[str, Look], title: str, name: str
) -> Sketch:
    """Draw both profiles of each field side by side.

    Args:
        shown: the fields, a row each.
        count: how many there are, in figure and files.
        looks: of all curves of the report.
        title: of the figure.
        name: of its files.
    """
    members = [looks[c] for c in sorted({c for field in shown for c in field.curves})]
    height = max(len(shown) * PANEL_HEIGHT + 0.1, legend_height(members))
    figure, tags = blank(2 * PANEL_WIDTH + legend_width(members, {}), height), Tags()
    for i, field in enumerate(shown):
        left, right = (figure.add_subplot(len(shown), 2, 2 * i + j) for j in (1, 2))
        _panel(left, field, performance(field.costs, STEPS), looks, tags)
        left.set_title(f"{one_line(field.name, 24)}: {field.costs.shape[1]} problems")
        left.set_xlabel("factor of the best cost")
        left.set_ylabel("problems solved")
        _panel(right, field, data(field.reached), looks, tags)
        tasks = field.reached.shape[1] // TARGETS
        right.set_title(f"{one_line(field.name, 24)}: {tasks} × {TARGETS} targets")
        right.set_xlabel("NFE per sample (measured)")
        right.set_ylabel("targets reached")
    legend(figure, members, {}, tags)
    left_out = count - len(shown)
    more = f" {left_out} more rows have no room here: see profiles.csv." if left_out else ""
    return Sketch(figure, name, title, CAPTION + more, tags)


def _panel(
    axes: Axes, field: Field, profile: Profile, looks: Mapping[str, Look], tags: Tags
) -> None:
    if len(profile.x):
        last = float(profile.x[-1]) * 1.1
        for i, (curve, shares) in enumerate(zip(field.curves, profile.shares, strict=True)):
            look = looks[curve]
            steps, height = changes(profile.x, shares)
            # each curve comes from nothing, and goes on to the frame
            x = np.concatenate([steps[:1], steps, [last]])
            y = np.concatenate([[0.0], height, shares[-1:]])
            (line,) = axes.step(
                x, y, where="post", color=look.color, linestyle=look.dashes, clip_on=False
            )
            tags.put(line, look, Part.LINE)
            # few markers, each curve's at places of its own, in units of the diagonal
            every = (0.02 + 0.03 * (i % 6), 0.25)
            (marks,) = axes.plot(
                x, y, ls="none", c=look.color, marker=look.marker, ms=4, mew=0, markevery=every
            )
            marks.set_clip_on(False)
            tags.put(marks, look, Part.MARK)
        log_x(axes, float(profile.x[0]) / 1.03, last)
    axes.set_ylim(0.0, 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
