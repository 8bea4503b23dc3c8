"""The tables of the page: values by sampler and budget, best values, what failed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bench.render import table as render
from bench.render.labels import letters, metric_label, number, tick, with_half_width
from bench.results.frame import SUBJECT, Subject
from bench.results.roles import exact_partners, primary
from bench.results.schema import Status

MAX_FAILURES = 500
"""Distinct failures that the page lists; table.csv has all."""

ADAPTIVE_REMARK = "Adaptive solvers: the best run whose measured NFE is within the budget."
ADAPTIVE_TIMES_REMARK = "Adaptive solvers: the run of most NFE within the budget."


@dataclass(frozen=True)
class Value:
    """One field of a table."""

    text: str = ""
    note: str = ""
    best: bool = False


@dataclass(frozen=True)
class Line:
    """One sampler of a table."""

    curve: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Table:
    """One metric of one subject: samplers by budgets."""

    title: str
    budgets: tuple[str, ...]
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Best:
    """The best mean of one metric of one subject."""

    subject: Subject
    metric: str
    label: str
    letter: str
    value: float
    half_width: float
    curve: str
    nfe: float
    wall_per_sample_s: float

    @property
    def text(self) -> str:
        """The value with its interval."""
        return with_half_width(self.value, self.half_width)

    @property
    def nfe_text(self) -> str:
        """The measured NFE."""
        return "–" if math.isnan(self.nfe) else f"{self.nfe:.0f}"

    @property
    def wall_text(self) -> str:
        """Milliseconds per sample."""
        return number(self.wall_per_sample_s * 1e3)


@dataclass(frozen=True)
class Failure:
    """Rows that failed in the same way."""

    status: str
    subject: str
    curve: str
    where: str
    metrics: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Note:
    """What a reader has to know of a sampler on a model."""

    curve: str
    subject: str
    text: str


def best_values(points: pd.DataFrame) -> tuple[Best, ...]:
    """The best point of each subject, metric and protocol."""
    shown = points[points["metric"].isin(primary(points))]
    ranked = shown[shown["ranked"] | shown["metric"].isin(exact_partners(points))]
    if ranked.empty:
        return ()
    groups = ranked.groupby([*SUBJECT, "metric", "protocol"], sort=False, dropna=False)
    best = ranked.loc[groups["rank"].idxmin()]
    # with `protocol` 0, 1, ... under each subject and metric, its place is its letter
    count = best.groupby([*SUBJECT, "metric"], dropna=False)["protocol"].transform("size")
    names = [letters(n)[p] for n, p in zip(count, best["protocol"], strict=True)]
    return tuple(_best(row) for row in best.assign(letter=names).to_dict("records"))


def tables(points: pd.DataFrame) -> tuple[Table, ...]:
    """The tables of one subject: one for each metric and protocol."""
    partners = exact_partners(points)
    found = []
    for metric in primary(points):
        of_metric = points[points["metric"].eq(metric)]
        exact = points.loc[points["metric"].eq(partners.get(metric, "")), "value"]
        remarks = (
            (f"Exact or converged value: {number(float(exact.mean()))}.",) if len(exact) else ()
        )
        parts = [part for _, part in of_metric.groupby("protocol")]
        for letter, part in zip(letters(len(parts)), parts, strict=True):
            table = _table(part, f", protocol {letter}" if letter else "")
            found.append(replace(table, remarks=(*table.remarks, *remarks)))
    return tuple(found)


def wall_clock_table(points: pd.DataFrame) -> tuple[Table, ...]:
    """Sampling time per sample of one subject, in milliseconds; empty where none is known."""
    keys = ["curve", "solver_kind", "stochastic", "budget", "tolerance"]
    times = points.groupby(keys, dropna=False, sort=False).agg(
        value=("wall_per_sample_s", "mean"), nfe=("nfe", "mean"), over_budget=("over_budget", "any")
    )
    known = times.reset_index().dropna(subset=["value"])
    if known.empty:
        return ()
    named = known.assign(
        value=known["value"] * 1e3,
        rank=-known["nfe"],  # of an adaptive solver, the run that comes nearest to the budget
        metric="sampling time per sample",
        unit="ms",
        half_width=float("nan"),
    )
    return (_table(named, "", emphasis=False),)


def failures(frame: pd.DataFrame) -> tuple[Failure, ...]:
    """All rows without a usable value, those alike in one line, in the order of the table."""
    failed = frame[~frame["usable"]].copy()
    failed.loc[failed["status"].eq(Status.OK), "reason"] = "the value is missing or not finite"
    failed["place"] = _places(failed)
    groups = failed.groupby([*SUBJECT, "curve", "status", "reason"], sort=False, dropna=False)
    return tuple(_failure(key, part) for key, part in groups)


def notes(frame: pd.DataFrame) -> tuple[Note, ...]:
    """What the samplers' plugins have to say of their numbers, each once."""
    if "note" not in frame:  # a table of an earlier version
        return ()
    said = frame[frame["note"].fillna("").ne("")]
    found = said[[*SUBJECT, "curve", "note"]].drop_duplicates()
    return tuple(
        Note(str(row["curve"]), Subject(*(str(row[k]) for k in SUBJECT)).title, str(row["note"]))
        for row in found.to_dict("records")
    )


def _best(row: Mapping[Hashable, Any]) -> Best:
    return Best(
        subject=Subject(*(str(row[name]) for name in SUBJECT)),
        metric=str(row["metric"]),
        label=metric_label(str(row["metric"]), str(row["unit"])),
        letter=str(row["letter"]),
        value=float(row["value"]),
        half_width=float(row["half_width"]),
        curve=str(row["curve"]),
        nfe=float(row["nfe"]),
        wall_per_sample_s=float(row["wall_per_sample_s"]),
    )


def _table(part: pd.DataFrame, suffix: str, emphasis: bool = True) -> Table:
    needed = part[["curve", "budget", "nfe", "value", "half_width", "over_budget", "rank"]]
    fixed, adaptive = needed[needed["budget"].notna()], needed[needed["budget"].isna()]
    budgets = sorted(fixed["budget"].unique()) or [float("inf")]
    columns = [_column(fixed, adaptive, budget, emphasis) for budget in budgets]
    curves = sorted(part["curve"].unique())
    lines = tuple(Line(c, tuple(column.get(c, Value()) for column in columns)) for c in curves)
    label = metric_label(str(part["metric"].iloc[0]), str(part["unit"].iloc[0]))
    heads = tuple(f"NFE ≤ {tick(b)}" if math.isfinite(b) else "any NFE" for b in budgets)
    return Table(label + suffix, heads, lines, _remarks(part, adaptive, emphasis))


def _column(
    fixed: pd.DataFrame, adaptive: pd.DataFrame, budget: float, emphasis: bool
) -> dict[str, Value]:
    """Each sampler's best value at a budget; an adaptive solver's best within it."""
    within = adaptive[adaptive["nfe"] <= budget]
    at = pd.concat([fixed[fixed["budget"].eq(budget)], within])
    if at.empty:
        return {}
    rows = at.loc[at.groupby("curve", sort=False)["rank"].idxmin()]
    least = rows["rank"].min()
    return {
        str(row["curve"]): Value(
            with_half_width(float(row["value"]), float(row["half_width"])),
            _note(float(row["budget"]), float(row["nfe"]), bool(row["over_budget"])),
            emphasis and bool(row["rank"] == least),
        )
        for row in rows.to_dict("records")
    }


def _note(budget: float, nfe: float, over_budget: bool) -> str:
    if over_budget:
        return f"NFE {nfe:.0f}, over budget"
    return f"NFE {nfe:.0f}" if math.isnan(budget) or round(nfe) != round(budget) else ""


def _remarks(part: pd.DataFrame, adaptive: pd.DataFrame, emphasis: bool) -> tuple[str, ...]:
    remarks = []
    if len(adaptive):
        remarks.append(ADAPTIVE_REMARK if emphasis else ADAPTIVE_TIMES_REMARK)
    if part["over_budget"].any():
        remarks.append("Over budget: the measured cost exceeds the budget; not a fair comparison.")
    return tuple(remarks)


def _places(frame: pd.DataFrame) -> list[str]:
    """Budget or tolerance of each row, in words."""
    return [
        f"NFE {tick(budget)}"
        if budget > 0
        else f"tolerance {tolerance:.3g}"
        if tolerance > 0
        else ""
        for budget, tolerance in zip(frame["budget"], frame["tolerance"], strict=True)
    ]


def _failure(key: Sequence[object], part: pd.DataFrame) -> Failure:
    subject = Subject(*map(str, key[: len(SUBJECT)]))
    curve, status, reason = map(str, key[len(SUBJECT) :])
    seeds = sorted(int(seed) for seed in part["seed"].dropna().unique())
    where = _listed([*part["place"].unique(), "seed " + ", ".join(map(str, seeds[:8]))])
    metrics = _listed(part["metric"].unique())
    return Failure(status, subject.title, curve, where, metrics, reason, len(part))


def _listed(names: Iterable[object], limit: int = 12) -> str:
    texts = [str(name) for name in names if str(name)]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def for_paper(subject: str, table: Table) -> render.Table:
    """The table as all renderers take it."""
    rows = tuple(
        (
            render.TableCell(line.curve),
            *(render.TableCell(v.text, v.note, _mark(v)) for v in line.values),
        )
        for line in table.lines
    )
    columns = (*render.text_columns("sampler"), *render.number_columns(*table.budgets))
    title = f"{subject}: {table.title}"
    return render.Table(title, columns, rows, table.remarks)


def _mark(value: Value) -> render.Mark:
    return render.Mark.BEST if value.best else render.Mark.PLAIN
