"""Curves as a whole: area, NFE to reach a target, dominance.

The area is the mean over log NFE of the difference of the log metric; exp(area) - 1 is a relative
change. The NFE to a target is where the curve first comes down to it (up to it, where more is
better). See `bench.stats.curves`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from bench.compare.inputs import ResultSet
from bench.compare.pairs import Pairs, codes
from bench.compare.verdict import Verdict
from bench.results.evidence import fits
from bench.results.frame import NUMBER, SUBJECT
from bench.stats.arrays import Floats
from bench.stats.curves import MetricCurve, area_error, target_reach

Part = Mapping[str, npt.NDArray[Any]]
"""Columns of the points of one curve."""

_CURVE = [*SUBJECT, "curve", *NUMBER]
_COLUMNS = [
    *_CURVE,
    "budgets",
    "identical",
    "dominates",
    "area",
    "area_low",
    "area_high",
    "target",
    *(f"nfe_{side}{end}" for side in ("base", "head") for end in ("", "_low", "_high")),
]


def curves(
    points: pd.DataFrame,
    pairs: Pairs,
    sides: tuple[ResultSet, ResultSet],
    targets: Sequence[tuple[str, float]],
    alpha: float,
) -> pd.DataFrame:
    """One row for each curve and metric of at least two compared points with a direction."""
    known = points[points["nfe_head"].notna() & points["ranked"]] if len(points) else points
    if known.empty:
        return pd.DataFrame(columns=_COLUMNS)
    chosen = pairs.rows[pairs.chosen]
    places = {int(p): rows for p, rows in _by_point(chosen, known)}
    found = [
        _curve(part, places, sides, targets, alpha)
        for part in _parts(known)
        if len(part["base"]) > 1
    ]
    return pd.DataFrame(found, columns=_COLUMNS)


def _parts(known: pd.DataFrame) -> Iterator[Part]:
    """The points of each curve as arrays: there may be thousands of curves."""
    curve = codes(known, _CURVE)
    order = np.argsort(curve, kind="stable")
    columns = {name: known[name].to_numpy()[order] for name in known.columns}
    ends = np.flatnonzero(np.diff(curve[order])) + 1
    for first, last in pairwise([0, *ends, len(order)]):
        yield {name: values[first:last] for name, values in columns.items()}


def _by_point(chosen: pd.DataFrame, known: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """The rows of each point, of those that rest on samples."""
    sampled = known.loc[known["basis"].str.contains("samples") & ~known["identical"], "point"]
    wanted = chosen[chosen["point"].isin(sampled)]
    for _, rows in wanted.sort_values("seed").groupby("point", sort=False):
        yield int(rows["point"].iloc[0]), rows


def _curve(
    part: Part,
    places: Mapping[int, pd.DataFrame],
    sides: tuple[ResultSet, ResultSet],
    targets: Sequence[tuple[str, float]],
    alpha: float,
) -> dict[str, Any]:
    lines = [_line(part, places, side, is_head) for is_head, side in enumerate(sides)]
    row = {name: part[name][0] for name in _CURVE}
    row |= {"budgets": len(part["base"]), "identical": bool(part["identical"].all())}
    row["dominates"] = _dominates(part)
    total, error, freedom = area_error(lines[0], lines[1], _shared(part))
    width = float(stdtrit(max(freedom, 1.0), 1 - alpha / 2)) * error
    row |= {
        "area": math.expm1(total),
        "area_low": math.expm1(total - width),
        "area_high": math.expm1(total + width),
    }
    larger = bool(part["larger"][0])
    target = _target(str(row["metric"]), lines, targets, larger)
    row["target"] = target
    for name, line in zip(("base", "head"), lines, strict=True):
        names = (f"nfe_{name}{end}" for end in ("", "_low", "_high"))
        row |= dict(zip(names, target_reach(line, target, larger, alpha), strict=True))
    return row


def _line(
    part: Part, places: Mapping[int, pd.DataFrame], side: ResultSet, is_head: int
) -> MetricCurve:
    name = ("base", "head")[is_head]
    nfe, first = np.unique(part[f"nfe_{name}"].astype(float), return_index=True)
    strata = _strata(part["point"][first], places, side, bool(is_head))
    return MetricCurve(nfe, part[name][first].astype(float), strata)


def _strata(
    points: Floats, places: Mapping[int, pd.DataFrame], side: ResultSet, is_head: bool
) -> tuple[Floats, ...]:
    """By seed, the numbers per sample of all points side by side; nothing where one lacks them."""
    columns: list[list[Floats]] = []
    for point in points:
        rows = places.get(int(point)) if point == point else None
        if rows is None:
            return ()
        own = rows[rows["head"].eq(is_head)]
        vectors = [
            side.runs[int(row["place"])].evidence(row["key"], row["metric"], row["evidence_params"])
            for row in own.to_dict("records")
        ]
        if any(
            v is None or not fits(v, value) for v, value in zip(vectors, own["value"], strict=True)
        ):
            return ()
        columns.append([v.astype(float) for v in vectors if v is not None])
    seeds = {len(column) for column in columns}
    if len(seeds) != 1:
        return ()
    by_seed = list(zip(*columns, strict=True))
    if any(len({len(v) for v in vectors}) != 1 for vectors in by_seed):
        return ()
    return tuple(np.stack(vectors, axis=1) for vectors in by_seed)


def _shared(part: Part) -> bool:
    return all(str(basis).startswith("paired") for basis in part["basis"])


def _dominates(part: Part) -> str:
    """The side that is nowhere worse and somewhere better, as far as the verdicts tell."""
    found = set(part["verdict"])
    if found == {Verdict.SAME.value}:
        return "same"
    if Verdict.INCONCLUSIVE.value in found:
        return "unsure"
    if Verdict.WORSE.value not in found:
        return "HEAD"
    return "BASE" if Verdict.BETTER.value not in found else "neither"


def _target(
    metric: str, lines: Sequence[MetricCurve], targets: Sequence[tuple[str, float]], larger: bool
) -> float:
    """What was asked, else the best that both curves reach."""
    for pattern, value in targets:
        if fnmatchcase(metric, pattern):
            return value
    bests = [line.values.max() if larger else line.values.min() for line in lines]
    return float(min(bests) if larger else max(bests))
