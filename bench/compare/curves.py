"""Curves as a whole: area, NFE to reach a target, dominance.

The area is the mean over log NFE of the difference of the log metric; exp(area) - 1 is a relative
change. The NFE to a target is where the curve first comes down to it (up to it, where more is
better). See `bench.stats.curves`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from bench.compare.inputs import SAMPLES, ResultSet
from bench.compare.pairs import Pairs, codes
from bench.compare.verdict import Verdict
from bench.results.evidence import Values
from bench.results.frame import NUMBER, SUBJECT
from bench.stats.arrays import Floats
from bench.stats.curves import MetricCurve, area_error, target_reach

Part = Mapping[str, npt.NDArray[Any]]
"""Columns of the points of one curve."""

_SIDES = ("base", "head")
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
    *(f"nfe_{side}{end}" for side in _SIDES for end in ("", "_low", "_high")),
]


def curves(
    points: pd.DataFrame,
    pairs: Pairs,
    inputs: tuple[ResultSet, ResultSet],
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
        _curve(part, places, inputs, targets, alpha)
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
    inputs: tuple[ResultSet, ResultSet],
    targets: Sequence[tuple[str, float]],
    alpha: float,
) -> dict[str, Any]:
    base, head = (_side(part, places, *side) for side in zip(inputs, _SIDES, strict=True))
    larger = bool(part["larger"][0])
    shared = all(str(basis).startswith("paired") for basis in part["basis"])
    total, error, freedom = area_error(base, head, shared)
    width = float(stdtrit(max(freedom, 1.0), 1 - alpha / 2)) * error
    target = _target(part["metric"][0], base, head, targets, larger)
    reached = (target_reach(curve, target, larger, alpha) for curve in (base, head))
    found = [
        *(part[name][0] for name in _CURVE),
        len(part["base"]),
        bool(part["identical"].all()),
        _dominates(part),
        *(math.expm1(area) for area in (total, total - width, total + width)),
        target,
        *chain.from_iterable(reached),
    ]
    return dict(zip(_COLUMNS, found, strict=True))


def _side(
    part: Part, places: Mapping[int, pd.DataFrame], side: ResultSet, name: str
) -> MetricCurve:
    """BASE's or HEAD's curve, by increasing NFE."""
    nfe, first = np.unique(part[f"nfe_{name}"].astype(float), return_index=True)
    strata = _strata(part["point"][first], places, side, name == "head")
    return MetricCurve(nfe, part[name][first].astype(float), strata)


def _strata(
    points: Floats, places: Mapping[int, pd.DataFrame], side: ResultSet, is_head: bool
) -> tuple[Floats, ...]:
    """By seed, the numbers per sample of all points side by side; nothing where one lacks them."""
    columns: list[list[Values]] = []
    for point in points:
        if point not in places:
            return ()
        rows = places[point]
        own = rows.loc[rows["head"].eq(is_head), SAMPLES].itertuples(index=False, name=None)
        vectors = [side.samples(*row) for row in own]
        columns.append([values for values in vectors if values is not None])
        if len(columns[-1]) < len(vectors):
            return ()
    try:
        by_seed = zip(*columns, strict=True)
        return tuple(np.stack(vectors, axis=1).astype(float) for vectors in by_seed)
    except ValueError:  # other seeds or samples at another point
        return ()


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
    metric: str,
    base: MetricCurve,
    head: MetricCurve,
    targets: Sequence[tuple[str, float]],
    larger: bool,
) -> float:
    """The user's, else the best that both curves reach."""
    for pattern, value in targets:
        if fnmatchcase(metric, pattern):
            return value
    if larger:
        return float(min(base.values.max(), head.values.max()))
    return float(max(base.values.min(), head.values.min()))
