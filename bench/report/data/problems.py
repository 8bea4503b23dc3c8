"""Results as problems: a subject, a metric and a budget, with the cost that samplers reached.

A *problem* is a subject, a metric and a budget. Its *cost* is positive and the less the better, so
that costs of one problem have ratios: the value where less is better, its reciprocal where more
is, the distance to the exact or converged value where there is one. An error below what it is
measured against, or below rounding, counts as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.report.data.orders import ROUNDING
from bench.results.frame import SUBJECT
from bench.results.roles import errors, exact_partners, primary, references, with_own_error
from bench.results.schema import Status

ANY = float("inf")
"""The budget of a problem that adaptive solvers alone have run on."""

TASK = ("subject", "metric")
"""Columns that problems at several budgets have in common."""

POINT = (*TASK, "curve", "budget", "tolerance")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Problems:
    """All that samplers have run on.

    Attributes:
        rows: one for each seed, with `cost` (infinite: it failed or went over its budget).
        points: means over seeds, with `cost` (infinite: a seed failed), `over_budget` and `nfe`.
        table: the problems: subject, metric, budget, `larger` (more is better).
        curves: the samplers.
        ran: (samplers, problems): whether a sampler has run there, whatever came of it.
        unsupported: samplers by metrics that refused them.
        without_ratio: subjects with metrics of which a value is not positive.
    """

    rows: pd.DataFrame
    points: pd.DataFrame
    table: pd.DataFrame
    curves: tuple[str, ...]
    ran: Flags
    unsupported: pd.DataFrame
    without_ratio: tuple[tuple[str, str], ...]


def problems(frame: pd.DataFrame) -> Problems:
    """Find the problems of a prepared frame.

    Of a metric with several protocols in a subject, the one that most samplers have counts; rows
    of the others are left out.
    """
    named = frame.assign(subject=_subjects(frame))
    every = _with_best_value(named)
    refused = every["status"].eq(Status.UNSUPPORTED)
    rows = _one_protocol(every[~refused])
    rows, without = _with_ratio(rows)
    rows = rows.assign(cost=_cost(rows, rows["value"], rows["exact"]))
    rows.loc[~rows["usable"] | rows["cost"].isna(), "cost"] = np.inf
    points = _points(rows)
    table = _table(rows)
    curves = tuple(sorted(rows["curve"].unique()))
    return Problems(
        rows.assign(cost=rows["cost"].where(~rows["over_budget"], np.inf)),
        points,
        table,
        curves,
        _ran(rows, table, curves),
        every.loc[refused, ["curve", "metric"]].drop_duplicates(),
        without,
    )


def _subjects(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    number = frame.groupby(list(SUBJECT), dropna=False, sort=False, observed=True).ngroup()
    return np.asarray(number.to_numpy(), dtype=np.int64)


def _with_best_value(frame: pd.DataFrame) -> pd.DataFrame:
    """Select the metrics that have a best value, with the exact one and the floor beside it."""
    names = primary(frame)
    partners = {name: exact for name, exact in exact_partners(frame).items() if name in names}
    # where the distance to the exact value is a metric of its own, it need not count twice
    twice = partners.keys() & with_own_error(frame)
    rows = frame[frame["metric"].isin([name for name in names if name not in twice])]
    rows = rows.assign(exact=_beside(frame, rows, partners))
    # One subject has a closed form, and another has the same metric and none.
    judged = rows.groupby(list(TASK))["exact"].transform("count").gt(0)
    rows = rows.assign(judged=judged, larger=rows["larger_is_better"] & ~judged)
    return rows.assign(floor=_floors(frame, rows))[rows["ranked"] | judged]


def _beside(frame: pd.DataFrame, rows: pd.DataFrame, partners: dict[str, str]) -> pd.Series:
    """Return the exact value of the same cell beside each row; NaN where there is none."""
    exact = frame.loc[frame["metric"].isin(partners.values()) & frame["usable"]]
    known = exact.drop_duplicates(["key", "metric"]).set_index(["key", "metric"])["value"]
    wanted = pd.MultiIndex.from_arrays([rows["key"], rows["metric"].map(partners)])
    return pd.Series(known.reindex(wanted).to_numpy(dtype=float), index=rows.index)


def _floors(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Return the level below which an error says nothing: rounding, or its reference's error."""
    rounding = rows["dtype"].map(ROUNDING).astype(float).fillna(0.0)
    partners = references(frame)
    measured = frame[frame["metric"].isin(partners.values()) & frame["usable"]]
    known = measured.groupby(["subject", "metric"])["value"].max()
    wanted = pd.MultiIndex.from_arrays([rows["subject"], rows["metric"].map(partners)])
    own = pd.Series(known.reindex(wanted).to_numpy(dtype=float), index=rows.index).fillna(0.0)
    level = own.where(own > rounding, rounding).where(
        rows["metric"].isin(errors(frame)) | rows["judged"], 0.0
    )
    return level.groupby([rows[name] for name in TASK]).transform("max")


def _one_protocol(rows: pd.DataFrame) -> pd.DataFrame:
    usable = rows[rows["usable"]]
    sizes = usable.groupby([*TASK, "protocol"])["curve"].nunique().reset_index()
    first = sizes.sort_values([*TASK, "curve", "protocol"], ascending=[True, True, False, True])
    main = first.drop_duplicates(list(TASK)).set_index(list(TASK))["protocol"]
    wanted = pd.MultiIndex.from_arrays([rows[name] for name in TASK])
    same = rows["protocol"].to_numpy(dtype=float) == main.reindex(wanted).to_numpy(dtype=float)
    kept = rows[same | ~rows["usable"].to_numpy(dtype=bool)]
    # a sampler that has no number under this protocol but some under others did not run on it
    solved = kept["usable"].groupby([kept[name] for name in (*TASK, "curve")]).transform("any")
    elsewhere = rows.loc[rows["usable"].to_numpy(dtype=bool) & ~same, [*TASK, "curve"]]
    foreign = pd.MultiIndex.from_frame(kept[[*TASK, "curve"]]).isin(
        pd.MultiIndex.from_frame(elsewhere.drop_duplicates())
    )
    own = solved.to_numpy(dtype=bool) | ~np.asarray(foreign, dtype=bool)
    chosen: pd.DataFrame = kept[own]
    return chosen


def _with_ratio(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """Split off the tasks whose values have no ratios."""
    bare = rows["usable"] & rows["value"].le(0) & rows["floor"].eq(0)
    without = bare.groupby([rows[name] for name in TASK]).transform("any").astype(bool)
    names = rows.loc[without, [*TASK]].drop_duplicates()
    pairs = tuple((str(s), str(m)) for s, m in names.itertuples(index=False, name=None))
    return rows[~without], pairs


def _cost(rows: pd.DataFrame, value: pd.Series, exact: pd.Series) -> pd.Series:
    distance = (value - exact).abs().where(rows["judged"], value)
    with np.errstate(divide="ignore"):
        turned = distance.where(~rows["larger"], 1.0 / distance)
    # NaN, of a missing exact value, stays
    return turned.where(turned.isna() | turned.gt(rows["floor"]), rows["floor"])


def _points(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby(list(POINT), dropna=False, sort=False, observed=True)
    means = groups.agg(
        value=("value", "mean"),
        exact=("exact", "mean"),
        nfe=("nfe", "mean"),
        worst=("cost", "max"),
        over_budget=("over_budget", "any"),
        judged=("judged", "first"),
        larger=("larger", "first"),
        floor=("floor", "first"),
    ).reset_index()
    cost = _cost(means, means["value"], means["exact"])
    return means.assign(cost=cost.where(np.isfinite(means["worst"]) & cost.notna(), np.inf))


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    columns = [*TASK, "budget", "larger"]
    fixed = rows.loc[rows["budget"].notna(), columns].drop_duplicates()
    has = pd.MultiIndex.from_frame(fixed[[*TASK]])
    tasks = rows[columns].drop_duplicates([*TASK])
    alone = tasks[~pd.MultiIndex.from_frame(tasks[[*TASK]]).isin(has)]
    table = pd.concat([fixed, alone.assign(budget=ANY)] if len(alone) else [fixed])
    return table.sort_values([*TASK, "budget"], kind="stable").reset_index(drop=True)


def _ran(rows: pd.DataFrame, table: pd.DataFrame, curves: Sequence[str]) -> Flags:
    """Say who ran where: at its budgets, or, if adaptive, at all of the task."""
    ran = np.zeros((len(curves), len(table)), dtype=bool)
    numbered = table.assign(problem=np.arange(len(table)))
    seen = rows[["curve", *TASK, "budget"]].drop_duplicates()
    fixed = seen[seen["budget"].notna()].merge(numbered, on=[*TASK, "budget"])
    adaptive = seen[seen["budget"].isna()].drop(columns="budget").merge(numbered, on=[*TASK])
    places = {curve: i for i, curve in enumerate(curves)}
    for part in (fixed, adaptive):
        ran[part["curve"].map(places).to_numpy(dtype=int), part["problem"].to_numpy(dtype=int)] = (
            True
        )
    return ran
