"""Aggregates over many problems: profiles, interquartile means, probability of improvement.

The summaries are those of Dolan and Moré (2002), COCO and rliable, from `bench.stats`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bench.extensions.data import CommonProblems
from bench.render.table import Table, TableCell
from bench.report.data.values import best_mark, sampler_table
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


def aggregate(common: CommonProblems) -> pd.DataFrame:
    """Aggregate the costs of each sampler; a row each, the best interquartile mean first."""
    scores = cost_scores(common.seeds)
    alpha = 1 - LEVEL
    low, high = bootstrap_samplers(interquartile_means, scores, alpha)
    under, over = bootstrap_samplers(improvement_on_others, common.seeds, alpha)
    best = performance(common.costs).shares[:, 0]
    reached = np.isfinite(common.reached).mean(axis=1)
    table = pd.DataFrame(
        {
            "field": common.name,
            "curve": common.curves,
            "iqm": interquartile_means(scores),
            "iqm_low": low,
            "iqm_high": high,
            "improvement": improvement_on_others(common.seeds),
            "improvement_low": under,
            "improvement_high": over,
            "best": best,
            "solved": np.isfinite(common.costs).mean(axis=1),
            "targets": reached,
            "problems": common.costs.shape[1],
            "seeds": common.seeds.shape[1],
        }
    )
    return table.sort_values(["iqm", "curve"], ascending=[False, True], ignore_index=True)


def profile_points(every: Sequence[CommonProblems]) -> pd.DataFrame:
    """Make the table of the profiles for a CSV file: a row where the share of a sampler changes."""
    parts = [
        pd.DataFrame({"field": f.name, "profile": name, "curve": curve, "x": x, "share": share})
        for f in every
        for name, profile in (("performance", performance(f.costs)), ("data", data(f.reached)))
        for curve, shares in zip(f.curves, profile.shares, strict=True)
        for x, share in (changes(profile.x, shares),)
    ]
    columns = ["field", "profile", "curve", "x", "share"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def overall_table(common: CommonProblems, found: pd.DataFrame) -> Table:
    """Make the table of the page from what `aggregate` found."""
    heads = ("IQM of the score", "better than another", "the best", "solved", "targets reached")
    top = found["iqm"].max()
    rows = [
        (
            str(row["curve"]),
            [
                TableCell(
                    f"{row['iqm']:.3f}",
                    _ends(row["iqm_low"], row["iqm_high"]),
                    best_mark(bool(row["iqm"] == top)),
                ),
                TableCell(
                    f"{row['improvement']:.3f}",
                    _ends(row["improvement_low"], row["improvement_high"]),
                ),
                *(TableCell(f"{100 * row[name]:.0f} %") for name in ("best", "solved", "targets")),
            ],
        )
        for row in found.to_dict("records")
    ]
    return sampler_table(f"Standing by {common.name}", heads, rows, _remarks(common, found))


def _ends(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{low:.3f}–{high:.3f}"


def _remarks(common: CommonProblems, found: pd.DataFrame) -> tuple[str, ...]:
    samplers, seeds, problems = common.seeds.shape
    remarks = [
        f"{samplers} samplers on {problems} problems of {common.subjects} subjects "
        f"({', '.join(common.metrics)}), {seeds} seed{'s' if seeds > 1 else ''}."
    ]
    if np.isnan(found["iqm_low"]).all():
        remarks.append(f"No intervals: {'one seed' if seeds == 1 else 'too many numbers'}.")
    if common.others:
        named = ", ".join(common.others[:MAX_NAMES])
        more = len(common.others) - MAX_NAMES
        named += f" and {more} more" if more > 0 else ""
        why = f", {common.refused} of them since a metric does not support them"
        remarks.append(
            f"Left out: {len(common.others)} samplers that did not run on all of these problems"
            f"{why if common.refused else ''}: {named}."
        )
    if common.problems_left:
        remarks.append(f"Left out: {common.problems_left} problems that not all of these ran on.")
    if common.without_ratio:
        remarks.append(
            f"Left out: a metric in {common.without_ratio} subjects, where a value is not positive "
            "and costs have no ratio."
        )
    return tuple(remarks)
