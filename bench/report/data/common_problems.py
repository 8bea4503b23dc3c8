"""Finds the samplers that have all run on the same problems, and what each reached there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.extensions.data import CommonProblems
from bench.report.data.problems import TASK, Flags, Problems

TARGETS = 51
"""Of each subject and metric, as many as COCO takes."""

CANDIDATES = 40
"""Distinct sets of problems that are looked at, those of most samplers."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def common_problems(known: Problems) -> tuple[CommonProblems, ...]:
    """Find those of a run: all metrics of a direction at once, where several count, then each.

    Empty where no two samplers have run on the same metric of two subjects.
    """
    table = known.table
    counts = table.drop_duplicates(list(TASK))["metric"].value_counts(sort=False)
    shared = [str(metric) for metric, count in counts.items() if count > 1]
    each = (_common(known, metric, table["metric"].eq(metric)) for metric in shared)
    single = [common for common in each if common is not None]
    if not single:
        return ()
    single.sort(key=lambda common: (-common.costs.size, common.name))
    return (*_pool(known), *single)


def _pool(known: Problems) -> Iterator[CommonProblems]:
    for larger, better in ((False, "less"), (True, "more")):
        name = f"all, {better} is better"
        common = _common(known, name, known.table["larger"].eq(larger))
        if common is not None and len(common.metrics) > 1:
            yield common


def largest_table(ran: Flags, subject: Ints) -> tuple[Ints, Ints] | None:
    """Find the samplers and the problems that make the largest table without a gap.

    Args:
        ran: (samplers, problems).
        subject: of each problem; at least two are wanted, and at least two samplers.

    Returns:
        Places of the samplers and of the problems; None where there are no such two.
    """
    distinct, counts = np.unique(ran, axis=0, return_counts=True)
    most = distinct[np.argsort(-counts, kind="stable")[:CANDIDATES]]
    pairs = [a & b for a, b in combinations(most, 2)]
    best: tuple[int, Ints, Ints] | None = None
    for wanted in (*most, *pairs):
        members = np.flatnonzero(ran[:, wanted].all(axis=1))
        if len(members) < 2:
            continue
        chosen = np.flatnonzero(ran[members].all(axis=0))
        size = len(members) * len(chosen)
        if len(np.unique(subject[chosen])) > 1 and (best is None or size > best[0]):
            best = (size, members, chosen)
    return None if best is None else best[1:]


def _common(known: Problems, name: str, wanted: pd.Series) -> CommonProblems | None:
    """Find the samplers of some of the problems."""
    candidates = np.flatnonzero(wanted.to_numpy(dtype=bool))
    if not len(candidates):
        return None
    ran = known.ran[:, candidates]
    found = largest_table(ran, known.table["subject"].to_numpy()[candidates])
    if found is None:
        return None
    members, places = found
    table = known.table.iloc[candidates[places]].reset_index(drop=True)
    curves = tuple(known.curves[i] for i in members)
    metrics = tuple(dict.fromkeys(table["metric"]))
    entries = _entries(known.points, table, curves)
    reached = _least_nfe(known.points, table, curves)
    if not reached.size:  # nobody has a number
        return None
    others = tuple(c for i, c in enumerate(known.curves) if ran[i].any() and i not in set(members))
    no_metric = known.unsupported
    refused = no_metric.loc[no_metric["metric"].isin(metrics), "curve"]
    return CommonProblems(
        name=name,
        metrics=metrics,
        curves=curves,
        subjects=int(table["subject"].nunique()),
        costs=_costs(entries, len(curves), len(table)),
        seeds=_seeds(entries, known.rows, len(curves), len(table)),
        reached=reached,
        others=others,
        refused=int(refused[refused.isin(others)].nunique()),
        problems_left=len(candidates) - len(places),
        without_ratio=sum(metric in (*metrics, name) for _, metric in known.without_ratio),
    )


def _entries(points: pd.DataFrame, table: pd.DataFrame, curves: tuple[str, ...]) -> pd.DataFrame:
    """Return the point with which each sampler stands at each problem, with the numbers of both.

    An adaptive solver stands with its best run within the budget; where it has none within, it has
    no entry.
    """
    numbered = table[[*TASK, "budget"]].assign(problem=np.arange(len(table)))
    own = points[points["curve"].isin(curves)]
    fixed = own[own["budget"].notna()].merge(numbered, on=[*TASK, "budget"])
    adaptive = own[own["budget"].isna()].rename(columns={"budget": "none"})
    within = adaptive.merge(numbered, on=[*TASK])
    within = within[within["nfe"] <= within["budget"]].sort_values("cost", kind="stable")
    within = within.drop_duplicates(["curve", "problem"]).drop(columns="budget")
    within = within.rename(columns={"none": "budget"})
    both = pd.concat([part for part in (fixed, within) if len(part)] or [fixed])
    places = {curve: i for i, curve in enumerate(curves)}
    return both.assign(place=both["curve"].map(places).astype(int))


def _costs(entries: pd.DataFrame, samplers: int, count: int) -> Floats:
    costs = np.full((samplers, count), np.inf)
    solved = entries[~entries["over_budget"].astype(bool)]
    costs[solved["place"], solved["problem"]] = solved["cost"]
    return costs


def _seeds(entries: pd.DataFrame, rows: pd.DataFrame, samplers: int, count: int) -> Floats:
    """Return the costs of as many seeds as all have, the first ones."""
    keys = [*TASK, "curve", "budget", "tolerance"]
    own = entries[[*keys, "place", "problem"]].merge(rows[[*keys, "seed", "cost"]], on=keys)
    own = own.sort_values("seed", kind="stable")
    run = own.groupby(["place", "problem"]).cumcount().to_numpy()
    least = own.groupby(["place", "problem"]).size().min() if len(own) else 1
    costs = np.full((samplers, int(least), count), np.inf)
    kept = own[run < least]
    costs[kept["place"], run[run < least], kept["problem"]] = kept["cost"]
    return costs


def _least_nfe(points: pd.DataFrame, table: pd.DataFrame, curves: tuple[str, ...]) -> Floats:
    """Return, for each task, the least NFE at which samplers reach each of its targets."""
    most = table.groupby(list(TASK), sort=False)["budget"].max()
    own = points[points["curve"].isin(curves) & np.isfinite(points["cost"])]
    fixed = own.merge(table[[*TASK, "budget"]], on=[*TASK, "budget"])
    limit = most.reindex(pd.MultiIndex.from_frame(own[[*TASK]])).to_numpy(dtype=float)
    runs = pd.concat([fixed, own[own["budget"].isna() & own["nfe"].le(limit)]])
    places = {curve: i for i, curve in enumerate(curves)}
    found = []
    for _, task in runs.groupby(list(TASK), sort=False):
        cost, nfe = (task[name].to_numpy(dtype=float) for name in ("cost", "nfe"))
        targets = np.geomspace(cost.max(), cost.min(), TARGETS) * (1 + 1e-9)
        at = np.where(cost[:, None] <= targets, nfe[:, None], np.inf)
        least = np.full((len(curves), TARGETS), np.inf)
        np.minimum.at(least, task["curve"].map(places).to_numpy(dtype=int), at)
        found.append(least)
    return np.concatenate(found, axis=1) if found else np.full((len(curves), 0), np.inf)
