"""Performance and data profiles: samplers over many problems, a row for each set of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from bench.extensions.data import OVERALL, CommonProblems, RunData
from bench.extensions.figure import Canvas, CurvePart, RunFigure, View
from bench.render.labels import shorten_label
from bench.report.data.common_problems import TARGETS
from bench.report.drawing.axes import log_x
from bench.report.drawing.panels import PANEL_HEIGHT, PANEL_WIDTH
from bench.stats.profiles import Profile, changes, data, performance

MAX_ROWS = 3
"""Of the figure; profiles.csv has all."""

STEPS = 150
"""Of a performance profile; its file has more."""

CAPTION = (
    "Only samplers that ran on all problems of a row stand in it. Left: performance profiles "
    "(Dolan and Moré 2002). A problem is a subject, a metric and a budget; its cost is the mean "
    "over seeds (one over it where more is better; the distance to the exact or converged value "
    "where there is one; an error no less than what it is measured against, or rounding). The "
    "curves give the share of problems whose cost a sampler brings within a factor of that of the "
    "best sampler there: at 1, the share where it is the best. A problem where a seed failed, or "
    "that took more than its budget, counts as never solved; adaptive solvers enter with their "
    "best run within the budget. Right: data profiles as COCO draws them: the share of targets "
    "reached by runs of no more than the measured NFE, of "
    f"{TARGETS} targets for each subject and metric, from the largest to the least cost of these "
    "samplers, at equal distances in the log."
)


def views(run: RunData) -> Iterator[View]:
    """Select the first sets of common problems."""
    if run.common:
        yield View(partial(draw, run.common[:MAX_ROWS], len(run.common)), section=OVERALL)


def draw(shown: Sequence[CommonProblems], count: int, canvas: Canvas) -> str:
    """Draw both profiles of each set of problems side by side.

    Args:
        shown: a row each.
        count: how many sets there are, in figure and files.
        canvas: to draw on.
    """
    members = {curve for common in shown for curve in common.curves}
    figure = canvas.open(2 * PANEL_WIDTH, len(shown) * PANEL_HEIGHT + 0.1, members)
    for i, common in enumerate(shown):
        left, right = (figure.add_subplot(len(shown), 2, 2 * i + j) for j in (1, 2))
        name = shorten_label(common.name, 24)
        _draw_profile(left, common, performance(common.costs, STEPS), canvas)
        left.set_title(f"{name}: {common.costs.shape[1]} problems")
        left.set(xlabel="factor of the best cost", ylabel="problems solved")
        _draw_profile(right, common, data(common.reached), canvas)
        right.set_title(f"{name}: {common.reached.shape[1] // TARGETS} × {TARGETS} targets")
        right.set(xlabel="NFE per sample (measured)", ylabel="targets reached")
    left_out = count - len(shown)
    more = f" {left_out} more rows have no room here: see profiles.csv." if left_out else ""
    return CAPTION + more


def _draw_profile(axes: Axes, common: CommonProblems, profile: Profile, canvas: Canvas) -> None:
    if len(profile.x):
        last = float(profile.x[-1]) * 1.1
        for i, (curve, shares) in enumerate(zip(common.curves, profile.shares, strict=True)):
            style = canvas.styles[curve]
            steps, height = changes(profile.x, shares)
            # each curve comes from nothing, and goes on to the frame
            x = np.concatenate([steps[:1], steps, [last]])
            y = np.concatenate([[0.0], height, shares[-1:]])
            (line,) = axes.step(
                x, y, where="post", color=style.color, linestyle=style.dashes, clip_on=False
            )
            canvas.tag(line, curve, CurvePart.LINE)
            # few markers, each curve's at places of its own, in units of the diagonal
            every = (0.02 + 0.03 * (i % 6), 0.25)
            (marks,) = axes.plot(
                x, y, ls="none", c=style.color, marker=style.marker, ms=4, mew=0, markevery=every
            )
            marks.set_clip_on(False)
            canvas.tag(marks, curve, CurvePart.MARK)
        log_x(axes, float(profile.x[0]) / 1.03, last)
    axes.set_ylim(0.0, 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


FIGURE = RunFigure(name="over-all-models", title="Profiles. Over all models", rank=10, views=views)
