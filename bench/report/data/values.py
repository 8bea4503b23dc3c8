"""Tables of values by sampler and budget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from bench.render.labels import letters, metric_label, number, tick, with_half_width
from bench.render.table import Mark, Table, TableCell, number_columns, text_columns
from bench.results.roles import exact_partners, primary

ADAPTIVE_REMARK = "Adaptive solvers: the best run whose measured NFE is within the budget."
ADAPTIVE_TIMES_REMARK = "Adaptive solvers: the run of most NFE within the budget."
OVER_BUDGET_REMARK = "Over budget: the measured cost exceeds the budget; not a fair comparison."


def sampler_table(
    title: str,
    heads: Sequence[str],
    rows: Sequence[tuple[str, Sequence[TableCell]]],
    notes: Sequence[str],
) -> Table:
    """Make a table whose rows are samplers."""
    return Table(
        title,
        (*text_columns("sampler"), *number_columns(*heads)),
        tuple((TableCell(curve), *cells) for curve, cells in rows),
        tuple(notes),
    )


def best_mark(best: bool) -> Mark:
    """Mark what is the best."""
    return Mark.BEST if best else Mark.PLAIN


def value_tables(points: pd.DataFrame) -> Iterator[Table]:
    """Make the tables of one subject: one for each metric and protocol."""
    partners = exact_partners(points)
    for metric in primary(points):
        of_metric = points[points["metric"].eq(metric)]
        exact = points.loc[points["metric"].eq(partners.get(metric, "")), "value"]
        notes = [f"Exact or converged value: {number(float(exact.mean()))}."] if len(exact) else []
        parts = [part for _, part in of_metric.groupby("protocol")]
        for letter, part in zip(letters(len(parts)), parts, strict=True):
            label = metric_label(metric, str(part["unit"].iloc[0]))
            title = f"{label}, protocol {letter}" if letter else label
            yield _table(title, part, ADAPTIVE_REMARK, notes)


def wall_clock_table(points: pd.DataFrame) -> Iterator[Table]:
    """Make the table of sampling times of one subject; none where no time is known."""
    keys = ["curve", "solver_kind", "stochastic", "budget", "tolerance"]
    times = points.groupby(keys, dropna=False, sort=False).agg(
        value=("wall_per_sample_s", "mean"), nfe=("nfe", "mean"), over_budget=("over_budget", "any")
    )
    known = times.reset_index().dropna(subset=["value"])
    if len(known):
        shown = known.assign(
            value=known["value"] * 1e3,
            rank=-known["nfe"],  # of an adaptive solver, the run that comes nearest to the budget
            half_width=float("nan"),
        )
        title = metric_label("sampling time per sample", "ms")
        yield _table(title, shown, ADAPTIVE_TIMES_REMARK, emphasis=False)


def _table(
    title: str,
    part: pd.DataFrame,
    adaptive_remark: str,
    notes: Sequence[str] = (),
    emphasis: bool = True,
) -> Table:
    needed = part[["curve", "budget", "nfe", "value", "half_width", "over_budget", "rank"]]
    fixed, adaptive = needed[needed["budget"].notna()], needed[needed["budget"].isna()]
    budgets = sorted(fixed["budget"].unique()) or [float("inf")]
    columns = [_column(fixed, adaptive, budget, emphasis) for budget in budgets]
    rows = [
        (curve, [column.get(curve, TableCell()) for column in columns])
        for curve in sorted(part["curve"].unique())
    ]
    remarks = [adaptive_remark] if len(adaptive) else []
    remarks += [OVER_BUDGET_REMARK] if part["over_budget"].any() else []
    heads = [f"NFE ≤ {tick(b)}" if math.isfinite(b) else "any NFE" for b in budgets]
    return sampler_table(title, heads, rows, [*remarks, *notes])


def _column(
    fixed: pd.DataFrame, adaptive: pd.DataFrame, budget: float, emphasis: bool
) -> dict[str, TableCell]:
    """Give each sampler its best value at a budget; an adaptive solver its best within it."""
    within = adaptive[adaptive["nfe"] <= budget]
    at = pd.concat([fixed[fixed["budget"].eq(budget)], within])
    if at.empty:
        return {}
    rows = at.loc[at.groupby("curve", sort=False)["rank"].idxmin()]
    least = rows["rank"].min()
    return {
        str(row["curve"]): TableCell(
            with_half_width(float(row["value"]), float(row["half_width"])),
            _note(float(row["budget"]), float(row["nfe"]), bool(row["over_budget"])),
            best_mark(emphasis and bool(row["rank"] == least)),
        )
        for row in rows.to_dict("records")
    }


def _note(budget: float, nfe: float, over_budget: bool) -> str:
    if over_budget:
        return f"NFE {nfe:.0f}, over budget"
    return f"NFE {nfe:.0f}" if math.isnan(budget) or round(nfe) != round(budget) else ""
