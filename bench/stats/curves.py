"""Curves of a metric over NFE: the area between two, and where one reaches a target.

Both treat a curve as straight between its points in log-log. Intervals rest on numbers per sample:
the area's by the delta method over all points at once, since they share their noise; that of the
NFE to a target by a bootstrap of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.stats.arrays import Floats
from bench.stats.spread import stratified_error

RESAMPLES = 400
"""Of the bootstrap."""


@dataclass(frozen=True)
class MetricCurve:
    """One metric over NFE.

    Attributes:
        nfe: increasing, (points,).
        values: (points,).
        strata: of each seed, numbers per sample (samples, points); empty where there are none.
    """

    nfe: Floats
    values: Floats
    strata: tuple[Floats, ...] = ()


def area_between(base: MetricCurve, head: MetricCurve) -> tuple[float, Floats, Floats]:
    """The mean difference of the log values, and its gradients in the values of both curves.

    The mean is over log NFE, between the ends that both curves have, by the trapezoid rule. NaN
    where the curves have no range of NFE in common, or values that are not positive.
    """
    low, high = max(base.nfe[0], head.nfe[0]), min(base.nfe[-1], head.nfe[-1])
    if not (high > low and (base.values > 0).all() and (head.values > 0).all()):
        return math.nan, np.zeros(len(base.nfe)), np.zeros(len(head.nfe))
    ends = math.log(low), math.log(high)
    weights = [trapezoid_weights(np.log(curve.nfe), *ends) for curve in (base, head)]
    total = weights[1] @ np.log(head.values) - weights[0] @ np.log(base.values)
    return float(total), -weights[0] / base.values, weights[1] / head.values


def area_error(base: MetricCurve, head: MetricCurve, shared: bool) -> tuple[float, float, float]:
    """The area, its standard error and degrees of freedom; NaN error without numbers per sample.

    Args:
        base: one curve.
        head: the other.
        shared: whether their samples share noise, one by one.
    """
    total, *gradients = area_between(base, head)
    if not base.strata or not head.strata:
        return total, math.nan, math.inf
    moves = [
        [stratum @ gradient for stratum in curve.strata]
        for curve, gradient in zip((base, head), gradients, strict=True)
    ]
    if shared and [len(m) for m in moves[0]] == [len(m) for m in moves[1]]:
        error, freedom = stratified_error([b + h for b, h in zip(*moves, strict=True)])
        return total, error, freedom
    errors = [stratified_error(side) for side in moves]
    return total, math.hypot(errors[0][0], errors[1][0]), min(f for _, f in errors)


def trapezoid_weights(x: Floats, low: float, high: float) -> Floats:
    """Weights w with w @ y the mean of the broken line (x, y) between low and high."""
    nodes = np.unique(np.concatenate([[low, high], x[(x > low) & (x < high)]]))
    widths = np.diff(nodes)
    node_weights = (np.append(widths, 0) + np.append(0, widths)) / (2 * (high - low))
    units = np.eye(len(x))
    return np.array([node_weights @ np.interp(nodes, x, unit) for unit in units])


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


def target_reach(
    curve: MetricCurve, target: float, larger: bool, alpha: float
) -> tuple[float, float, float]:
    """NFE to the target with the ends of its bootstrap interval.

    All are NaN where the target or a value is not positive, the ends without numbers per sample.
    An end that is never reached is infinite.

    Args:
        curve: the values.
        target: to come down to, or up to.
        larger: whether more is better.
        alpha: 1 - level of the interval.
    """
    if target <= 0 or (curve.values <= 0).any():
        return math.nan, math.nan, math.nan
    values = 1 / curve.values if larger else curve.values
    slack = (1 / target if larger else target) * (1 + 1e-12)
    own = float(first_reach(curve.nfe, values[None], slack)[0])
    if not curve.strata:
        return own, math.nan, math.nan
    values = np.maximum(_resample_means(curve.strata), 1e-300)
    again = first_reach(curve.nfe, 1 / values if larger else values, slack)
    ends = np.quantile(
        np.nan_to_num(again, nan=np.inf), [alpha / 2, 1 - alpha / 2], method="nearest"
    )
    return own, ends[0], ends[1]


def _resample_means(strata: Sequence[Floats]) -> Floats:
    """Means of samples drawn again within each stratum, (RESAMPLES, points)."""
    draws = np.random.default_rng(0)
    means = []
    for stratum in strata:
        n = len(stratum)
        weights = draws.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n
        means.append(weights @ stratum)
    return np.asarray(np.mean(means, axis=0))
