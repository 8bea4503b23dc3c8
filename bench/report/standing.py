"""How samplers stand over many problems: profiles, interquartile means, probability of improvement.

The summaries are those of Dolan and Moré (2002), COCO and rliable, from `bench.stats`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.report.field import TARGETS, Field
from bench.report.tables import Line, Table, Value
from bench.stats.aggregates import (
    bootstrap_samplers,
    cost_scores,
    improvement_on_others,
    interquartile_means,
)
from bench.stats.intervals import LEVEL
from bench.stats.profiles import changes, data, performance

MAX_NAMES = 8
"""Samplers that a remark names."""


def standing(field: Field) -> pd.DataFrame:
    """One row for each sampler, the best interquartile mean first."""
    scores = cost_scores(field.seeds)
    alpha = 1 - LEVEL
    low, high = bootstrap_samplers(interquartile_means, scores, alpha)
    under, over = bootstrap_samplers(improvement_on_others, field.seeds, alpha)
    best = performance(field.costs).shares[:, 0]
    reached = np.isfinite(field.reached).mean(axis=1)
    table = pd.DataFrame(
        {
            "field": field.name,
            "curve": field.curves,
            "iqm": interquartile_means(scores),
            "iqm_low": low,
            "iqm_high": high,
            "improvement": improvement_on_others(field.seeds),
            "improvement_low": under,
            "improvement_high": over,
            "best": best,
            "solved": np.isfinite(field.costs).mean(axis=1),
            "targets": reached,
            "problems": field.costs.shape[1],
            "seeds": field.seeds.shape[1],
        }
    )
    return table.sort_values(["iqm", "curve"], ascending=[False, True], ignore_index=True)


def profile_points(fields: Sequence[Field]) -> pd.DataFrame:
    """The profiles for a CSV file: a row where the share of a sampler changes."""
    parts = [
        pd.DataFrame({"field": f.name, "profile": name, "curve": curve, "x": x, "share": share})
        for f in fields
        for name, profile in (("performance", performance(f.costs)), ("data", data(f.reached)))
        for curve, shares in zip(f.curves, profile.shares, strict=True)
        for x, share in (changes(profile.x, shares),)
    ]
    columns = ["field", "profile", "curve", "x", "share"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def overall_table(field: Field, found: pd.DataFrame) -> Table:
    """The standing as a table of the page."""
    heads = ("IQM of the score", "better than another", "the best", "solved", "targets reached")
    top = found["iqm"].max()
    lines = tuple(
        Line(
            str(row["curve"]),
            (
                Value(
                    f"{row['iqm']:.3f}",
                    _ends(row["iqm_low"], row["iqm_high"]),
                    bool(row["iqm"] == top),
                ),
                Value(
                    f"{row['improvement']:.3f}",
                    _ends(row["improvement_low"], row["improvement_high"]),
                ),
                *(Value(f"{100 * row[name]:.0f} %") for name in ("best", "solved", "targets")),
            ),
        )
        for row in found.to_dict("records")
    )
    return Table(f"Standing by {field.name}", heads, lines, _remarks(field, found))


def _ends(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{low:.3f}–{high:.3f}"


def _remarks(field: Field, found: pd.DataFrame) -> tuple[str, ...]:
    samplers, seeds, problems = field.seeds.shape
    every = [
        f"{samplers} samplers on {problems} problems of {field.subjects} subjects "
        f"({', '.join(field.metrics)}), {seeds} seed{'s' if seeds > 1 else ''}."
    ]
    if np.isnan(found["iqm_low"]).all():
        every.append(f"No intervals: {'one seed' if seeds == 1 else 'too many numbers'}.")
    if field.others:
        named = ", ".join(field.others[:MAX_NAMES])
        more = len(field.others) - MAX_NAMES
        named += f" and {more} more" if more > 0 else ""
        why = f", {field.refused} of them since a metric does not support them"
        every.append(
            f"Left out: {len(field.others)} samplers that did not run on all of these problems"
            f"{why if field.refused else ''}: {named}."
        )
    if field.problems_left:
        every.append(f"Left out: {field.problems_left} problems that not all of these ran on.")
    if field.without_ratio:
        every.append(
            f"Left out: a metric in {field.without_ratio} subjects, where a value is not positive "
            "and costs have no ratio."
        )
    return tuple(every)


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
