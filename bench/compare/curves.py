"""What is said of a curve as a whole: area, NFE to reach a target, dominance.

Area: the mean over log NFE, between the ends that both curves have, of the difference of the log
metric, by the trapezoid rule; exp(area) - 1 is a relative change. NFE to a target: where the curve,
straight between its points in log-log, first comes down to the target (up to it, where more is
better). Intervals rest on the numbers per sample: the area's by the delta method over all points of
the curve at once, since they share their noise; that of the NFE by a bootstrap of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from bench.compare.estimate import stratified
from bench.compare.pairs import Paired, codes
from bench.compare.sides import Side
from bench.compare.verdict import Floats, Verdict
from bench.results.evidence import fits
from bench.results.frame import NUMBER, SUBJECT

Part = Mapping[str, npt.NDArray[Any]]
"""Columns of the points of one curve."""

RESAMPLES = 400
"""Of the bootstrap."""

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


@dataclass(frozen=True)
class Line:
    """One side of a curve.

    Attributes:
        nfe: increasing, (points,).
        values: positive, (points,).
        strata: of each seed, numbers per sample (samples, points); empty where there are none.
    """

    nfe: Floats
    values: Floats
    strata: tuple[Floats, ...] = ()


def curves(
    points: pd.DataFrame,
    paired: Paired,
    sides: tuple[Side, Side],
    targets: Sequence[tuple[str, float]],
    alpha: float,
) -> pd.DataFrame:
    """One row for each curve and metric of at least two compared points with a direction."""
    known = points[points["nfe_head"].notna() & points["ranked"]] if len(points) else points
    if known.empty:
        return pd.DataFrame(columns=_COLUMNS)
    chosen = paired.rows[paired.chosen]
    places = {int(p): rows for p, rows in _by_point(chosen, known)}
    found = [
        _curve(part, places, sides, targets, alpha)
        for part in _parts(known)
        if len(part["base"]) > 1
    ]
    return pd.DataFrame(found, columns=_COLUMNS)


def area(base: Line, head: Line) -> tuple[float, Floats, Floats]:
    """The mean difference of the log metric, and its gradients in the values of both lines.

    NaN where the lines have no range of NFE in common, or values that are not positive.
    """
    low, high = max(base.nfe[0], head.nfe[0]), min(base.nfe[-1], head.nfe[-1])
    if not (high > low and (base.values > 0).all() and (head.values > 0).all()):
        return math.nan, np.zeros(len(base.nfe)), np.zeros(len(head.nfe))
    weights = [_trapezoid(np.log(line.nfe), math.log(low), math.log(high)) for line in (base, head)]
    total = weights[1] @ np.log(head.values) - weights[0] @ np.log(base.values)
    return float(total), -weights[0] / base.values, weights[1] / head.values


def first_reach(nfe: Floats, values: Floats, target: float) -> Floats:
    """NFE at which curves first come down to a target; NaN where they never do.

    Args:
        nfe: increasing, (points,).
        values: positive, (curves, points).
        target: positive.
    """
    x, y = np.log(nfe), np.log(values) - math.log(target)
    reached = y <= 0
    ever = reached.any(axis=1)
    at = reached.argmax(axis=1)
    before = np.maximum(at - 1, 0)
    rows = np.arange(len(y))
    now, then = y[rows, before], y[rows, at]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(at > 0, now / (now - then), 0.0)
    found = np.exp(x[before] + share * (x[at] - x[before]))
    return np.where(ever, found, np.nan)


def _trapezoid(x: Floats, low: float, high: float) -> Floats:
    """Weights w with w @ y the mean of the broken line (x, y) between low and high."""
    nodes = np.unique(np.concatenate([[low, high], x[(x > low) & (x < high)]]))
    widths = np.diff(nodes)
    node_weights = (np.append(widths, 0) + np.append(0, widths)) / (2 * (high - low))
    units = np.eye(len(x))
    return np.array([node_weights @ np.interp(nodes, x, unit) for unit in units])


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
    sides: tuple[Side, Side],
    targets: Sequence[tuple[str, float]],
    alpha: float,
) -> dict[str, Any]:
    lines = [_line(part, places, side, is_head) for is_head, side in enumerate(sides)]
    row = {name: part[name][0] for name in _CURVE}
    row |= {"budgets": len(part["base"]), "identical": bool(part["identical"].all())}
    row["dominates"] = _dominates(part)
    total, error, freedom = _area_error(lines, shared=_shared(part))
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
        row |= _reach(name, line, target, larger, alpha)
    return row


def _line(part: Part, places: Mapping[int, pd.DataFrame], side: Side, is_head: int) -> Line:
    name = ("base", "head")[is_head]
    nfe, first = np.unique(part[f"nfe_{name}"].astype(float), return_index=True)
    strata = _strata(part["point"][first], places, side, bool(is_head))
    return Line(nfe, part[name][first].astype(float), strata)


def _strata(
    points: Floats, places: Mapping[int, pd.DataFrame], side: Side, is_head: bool
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


def _area_error(lines: Sequence[Line], shared: bool) -> tuple[float, float, float]:
    """Area, its standard error and degrees of freedom; NaN error without numbers per sample."""
    base, head = lines
    total, gradient_base, gradient_head = area(base, head)
    if not base.strata or not head.strata:
        return total, math.nan, math.inf
    moves = [
        [stratum @ gradient for stratum in line.strata]
        for line, gradient in ((base, gradient_base), (head, gradient_head))
    ]
    if shared and [len(m) for m in moves[0]] == [len(m) for m in moves[1]]:
        error, freedom = stratified([b + h for b, h in zip(*moves, strict=True)])
        return total, error, freedom
    errors = [stratified(side) for side in moves]
    return total, math.hypot(errors[0][0], errors[1][0]), min(f for _, f in errors)


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
    metric: str, lines: Sequence[Line], targets: Sequence[tuple[str, float]], larger: bool
) -> float:
    """What was asked, else the best that both curves reach."""
    for pattern, value in targets:
        if fnmatchcase(metric, pattern):
            return value
    bests = [line.values.max() if larger else line.values.min() for line in lines]
    return float(min(bests) if larger else max(bests))


def _reach(name: str, line: Line, target: float, larger: bool, alpha: float) -> dict[str, float]:
    """NFE to the target with its bootstrap interval; an end that is never reached is infinite."""
    empty = {f"nfe_{name}{end}": math.nan for end in ("", "_low", "_high")}
    if target <= 0 or (line.values <= 0).any():
        return empty
    turned = Line(line.nfe, 1 / line.values) if larger else line
    goal = 1 / target if larger else target
    slack = goal * (1 + 1e-12)
    own = float(first_reach(turned.nfe, turned.values[None], slack)[0])
    if not line.strata:
        return empty | {f"nfe_{name}": own}
    values = np.maximum(_resampled(line), 1e-300)
    again = first_reach(line.nfe, 1 / values if larger else values, slack)
    ends = np.quantile(
        np.nan_to_num(again, nan=np.inf), [alpha / 2, 1 - alpha / 2], method="nearest"
    )
    return {f"nfe_{name}": own, f"nfe_{name}_low": ends[0], f"nfe_{name}_high": ends[1]}


def _resampled(line: Line) -> Floats:
    """Values of the line with its samples drawn again, (RESAMPLES, points)."""
    draws = np.random.default_rng(0)
    means = []
    for stratum in line.strata:
        n = len(stratum)
        weights = draws.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n
        means.append(weights @ stratum)
    return np.asarray(np.mean(means, axis=0))
