"""The best parameters of each combination, from the rows of a validation run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.extend import BenchError
from bench_tune.catalogue import Catalogue

TUNED = ("solver", "corrector", "guidance")
"""Columns of plugins whose parameters are chosen."""

_PLACE = [
    *("model", "model_params", "task", "task_params", "process", "process_params"),
    *("grid", "grid_params", *TUNED),
]

_TEXT = (*_PLACE, *(f"{kind}_params" for kind in TUNED), "status", "reason", "files")

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """The rule of a choice.

    Attributes:
        metric: the number that decides.
        one_standard_error: take the first that is within one standard error of the best.
        across_budgets: one choice for all budgets, by the mean over them.
    """

    metric: str
    one_standard_error: bool = False
    across_budgets: bool = False


@dataclass(frozen=True)
class Candidate:
    """Parameters that were tried.

    Attributes:
        params: those that differ from the defaults, by column of the plugin.
        value: mean over seeds, and over budgets where one choice is made for all; NaN: unusable.
        std_error: of the mean: over seeds, of one seed that within the run; NaN: not known.
        seeds: how many.
        reason: why it cannot be chosen, or "".
    """

    params: Mapping[str, Values]
    value: float
    std_error: float
    seeds: int
    reason: str = ""


@dataclass(frozen=True)
class Choice:
    """The parameters chosen for one combination.

    Attributes:
        place: the columns that name it; ``budgets`` are the NFE budgets.
        candidates: in the order of the file.
        chosen: one of them; None if none is usable.
        tuned: the values chosen of the parameters that have several, as "guidance.scale".
        edges: those of them that are the least or the largest that was tried.
        tied: others have the same mean.
        files: paths by the digests that stand for them in parameters.
    """

    place: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    tuned: Values
    edges: tuple[str, ...]
    tied: bool
    files: Mapping[str, str]

    @property
    def model(self) -> str:
        """The model with its parameters."""
        return _with_params(self.place, "model")

    @property
    def task(self) -> str:
        """The task with its parameters."""
        return _with_params(self.place, "task") or "no task"

    @property
    def sampler(self) -> str:
        """Solver, corrector and guidance by name."""
        text = str(self.place["solver"])
        text += f" + {self.place['corrector']}" if self.place["corrector"] else ""
        return f"{text} with {self.place['guidance']}" if self.place["guidance"] else text


def _with_params(place: Mapping[str, Any], column: str) -> str:
    params = json.loads(place[f"{column}_params"] or "{}")
    text = ", ".join(f"{name}={value}" for name, value in params.items() if name != "split")
    return f"{place[column]}({text})" if text else str(place[column])


def choose(frame: pd.DataFrame, rule: Rule, catalogue: Catalogue) -> list[Choice]:
    """Choose for each combination in ``frame``, the results of a validation run.

    Raises:
        BenchError: the metric does not decide.
    """
    rows, larger = _rows(frame, rule.metric)
    keys = [*_PLACE, "tolerance", *([] if rule.across_budgets else ["budget"])]
    groups = rows.groupby(keys, dropna=False, sort=False)
    return [_choose(part, rule, larger, catalogue) for _, part in groups]


def _rows(frame: pd.DataFrame, metric: str) -> tuple[pd.DataFrame, bool]:
    """The rows of a metric and of the cells that failed to give it, and its direction."""
    own = frame[frame["metric"].eq(metric)]
    usable = own[own["status"].eq("ok")]
    if usable.empty:
        _refuse_metric(frame, metric)
    larger = usable["larger_is_better"].dropna().unique()
    if len(larger) != 1:
        raise BenchError(f"--metric {metric}: no value of it is better than another; take another")
    if usable["metric_params"].nunique() > 1:
        raise BenchError(f"--metric {metric}: two metrics of the suite give it; leave one of them")
    plugin = usable["metric_plugin"].iloc[0]
    failed = frame["metric_plugin"].eq(plugin) & frame["status"].ne("ok")
    rows = frame[frame["metric"].eq(metric) | failed]
    text = {name: rows[name].astype(object).where(rows[name].notna(), "") for name in _TEXT}
    return rows.assign(**text), bool(larger[0])


def _refuse_metric(frame: pd.DataFrame, metric: str) -> None:
    numbers = sorted(set(frame.loc[frame["status"].eq("ok"), "metric"]))
    failed = frame[frame["metric"].eq(metric) & frame["status"].ne("ok")]
    why = f"; {failed['reason'].iloc[0]}" if len(failed) else ""
    raise BenchError(
        f"--metric {metric}: the run has no usable number of that name, only: "
        f"{', '.join(numbers) or 'none'}{why}"
    )


def _choose(part: pd.DataFrame, rule: Rule, larger: bool, catalogue: Catalogue) -> Choice:
    names = [f"{kind}_params" for kind in TUNED]
    first = part.iloc[0]
    every = set(zip(part["budget"].fillna(0), part["seed"], strict=True))
    groups = part.groupby(names, dropna=False, sort=False)
    candidates = tuple(_candidate(rows, every) for _, rows in groups)
    chosen, tied = _best(candidates, rule, larger)
    budgets = tuple(int(b) for b in sorted(part["budget"].dropna().unique()))
    place = {name: first[name] for name in _PLACE} | {"budgets": budgets}
    defaults = {kind: catalogue.of(kind, str(first[kind])) for kind in TUNED}
    varied = dict(_variations(candidates, defaults))
    tuned = {} if chosen is None else {k: _value(chosen, k, defaults) for k in varied}
    edges = tuple(name for name, value in tuned.items() if _at_edge(value, varied[name]))
    return Choice(place, candidates, chosen, tuned, edges, tied, json.loads(first["files"] or "{}"))


def _candidate(rows: pd.DataFrame, every: set[tuple[float, int]]) -> Candidate:
    first = rows.iloc[0]
    params = {kind: json.loads(first[f"{kind}_params"] or "{}") for kind in TUNED}
    usable = rows[rows["status"].eq("ok") & np.isfinite(rows["value"].astype(float))]
    there = set(zip(usable["budget"].fillna(0), usable["seed"], strict=True))
    if there != every:
        bad = rows[rows["status"].ne("ok")]
        why = f"{bad['status'].iloc[0]}: {bad['reason'].iloc[0]}" if len(bad) else "not run"
        reason = f"{len(there)} of {len(every)} cells have a number; {why}"
        return Candidate(params, math.nan, math.nan, usable["seed"].nunique(), reason)
    seeds = usable.groupby("seed")["value"].mean()
    if len(seeds) > 1:
        error = float(seeds.std() / math.sqrt(len(seeds)))
    else:
        inside = usable["std_error"].astype(float)
        error = float(np.sqrt(inside.pow(2).sum(min_count=len(inside))) / len(inside))
    return Candidate(params, float(seeds.mean()), error, len(seeds))


def _best(
    candidates: Sequence[Candidate], rule: Rule, larger: bool
) -> tuple[Candidate | None, bool]:
    """The candidate to take, the first of equals, and whether there are equals."""
    able = [candidate for candidate in candidates if not candidate.reason]
    if not able:
        return None, False
    sign = -1 if larger else 1
    best = min(able, key=lambda candidate: sign * candidate.value)  # of equals the first
    if rule.one_standard_error:
        if math.isnan(best.std_error):
            raise BenchError(
                f"--one-standard-error: {rule.metric} has no standard error; run two seeds or more"
            )
        limit = sign * best.value + best.std_error
        best = next(candidate for candidate in able if sign * candidate.value <= limit)
    return best, sum(candidate.value == best.value for candidate in able) > 1


def _variations(
    candidates: Sequence[Candidate], defaults: Mapping[str, Values]
) -> Iterator[tuple[str, list[Any]]]:
    """The parameters that have several values, and these."""
    for kind in TUNED:
        names = dict.fromkeys(name for c in candidates for name in c.params[kind])
        for name in names:
            key = f"{kind}.{name}"
            values = [_value(candidate, key, defaults) for candidate in candidates]
            if any(value != values[0] for value in values):
                yield key, values


def _value(candidate: Candidate, key: str, defaults: Mapping[str, Values]) -> Any:
    kind, _, name = key.partition(".")
    return candidate.params[kind].get(name, defaults[kind].get(name))


def _at_edge(value: Any, tried: Sequence[Any]) -> bool:
    """True for the least and the largest of numbers."""
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in tried):
        return False
    return bool(value in (min(tried), max(tried)))
