"""The difference of each point and its standard error, from the best that there is.

In this order: numbers per sample (evidence) on both sides; seeds; standard errors from within the
runs; nothing. Where both sides share seeds they share noise: differences are taken sample by
sample, or seed by seed, so that what the noise does to both falls out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.compare.pairs import Paired
from bench.compare.sides import Side
from bench.core.shard import SHARD
from bench.results.evidence import Values, fits
from bench.stats.arrays import Flags, Floats, Ints
from bench.stats.spread import paired_spread, unpaired_spread, welch_error


class Basis(StrEnum):
    """What an interval rests on."""

    PAIRED_SAMPLES = "paired samples"
    SAMPLES = "samples"
    PAIRED_SEEDS = "paired seeds"
    SEEDS = "seeds"
    STD_ERROR = "standard errors"
    NONE = "nothing"


@dataclass(frozen=True)
class Estimates:
    """One entry for each compared point.

    Attributes:
        point: number of the point.
        base, head: means over the seeds.
        std_error: of the difference of the two; NaN where nothing is known.
        freedom: degrees of freedom of the standard error; infinite where it is taken for exact.
        basis: what it rests on.
        units: how many samples or seeds a side has.
        identical: every bit of values and evidence agrees.
    """

    point: Ints
    base: Floats
    head: Floats
    std_error: Floats
    freedom: Floats
    basis: npt.NDArray[np.object_]
    units: Floats
    identical: Flags


def estimates(paired: Paired, comparable: Flags, base: Side, head: Side) -> Estimates:
    """The estimates of all comparable points.

    Args:
        comparable: by point.
        base, head: where the evidence is.
    """
    rows = paired.rows[paired.chosen & comparable[paired.rows["point"]]]
    point = np.unique(rows["point"].to_numpy())
    # Sorted by seed, so that on both sides the same seeds stand at the same places.
    sorted_rows = rows.sort_values(["point", "seed"], kind="stable")
    sides = [
        _means(part, np.searchsorted(point, part["point"].to_numpy()), len(point))
        for part in (sorted_rows[~sorted_rows["head"]], sorted_rows[sorted_rows["head"]])
    ]
    table = _from_table(sides, paired.paired[point], len(point))
    found = Estimates(point, sides[0].mean, sides[1].mean, *table, _identical(sides, paired, point))
    _from_evidence(found, sorted_rows, paired, (base, head))
    return found


@dataclass(frozen=True)
class _Means:
    """The rows of one side: means by point, and what they are means of."""

    place: Ints
    values: Floats
    seeds: Floats
    count: Floats
    mean: Floats
    variance: Floats
    squared_error: Floats


def _means(rows: pd.DataFrame, place: Ints, count: int) -> _Means:
    values = rows["value"].to_numpy()
    n = np.bincount(place, minlength=count).astype(float)
    mean = np.bincount(place, values, count) / n
    squares = np.bincount(place, (values - mean[place]) ** 2, count)
    # The mean of S independent numbers: the sum of the squared errors over S squared.
    error = np.bincount(place, rows["std_error"].to_numpy() ** 2, count) / n**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / (n - 1)
    return _Means(place, values, rows["seed"].to_numpy(), n, mean, variance, error)


def _from_table(
    sides: Sequence[_Means], paired: Flags, count: int
) -> tuple[Floats, Floats, npt.NDArray[np.object_], Floats]:
    base, head = sides
    error = np.sqrt(base.squared_error + head.squared_error)
    freedom = np.full(count, np.inf)
    basis = np.where(np.isnan(error), Basis.NONE, Basis.STD_ERROR).astype(object)
    units = np.minimum(base.count, head.count)
    several = np.minimum(base.count, head.count) >= 2
    apart, welch = welch_error((base.variance, head.variance), (base.count, head.count))
    use = several & ~paired
    error, freedom = np.where(use, apart, error), np.where(use, welch, freedom)
    basis[use] = Basis.SEEDS
    together = _paired_error(base, head, paired, count)
    use = several & paired
    error, freedom = np.where(use, together, error), np.where(use, base.count - 1, freedom)
    basis[use] = Basis.PAIRED_SEEDS
    return error, freedom, basis, units


def _paired_error(base: _Means, head: _Means, paired: Flags, count: int) -> Floats:
    """The standard error of the mean difference over common seeds."""
    mine, theirs = paired[base.place], paired[head.place]
    place = base.place[mine]
    gap = head.values[theirs] - base.values[mine]
    n = np.maximum(np.bincount(place, minlength=count), 1).astype(float)
    mean = np.bincount(place, gap, count) / n
    squares = np.bincount(place, (gap - mean[place]) ** 2, count)
    return np.asarray(np.sqrt(squares / np.maximum(n - 1, 1) / n))


def _identical(sides: Sequence[_Means], paired: Paired, point: Ints) -> Flags:
    """Whether the values agree to the last bit, seed by seed."""
    base, head = sides
    found = paired.paired[point].copy()
    mine, theirs = found[base.place], found[head.place]
    place = base.place[mine]
    found[place[base.values[mine] != head.values[theirs]]] = False
    return found


def _from_evidence(
    found: Estimates, rows: pd.DataFrame, paired: Paired, sides: tuple[Side, Side]
) -> None:
    """Replace what rests on the table alone where both sides have numbers per sample."""
    with_evidence = _with_evidence(rows, sides)
    places = np.searchsorted(found.point, rows["point"].to_numpy())
    complete = np.ones(len(found.point), dtype=bool)
    complete[places[~with_evidence]] = False
    use = complete[places]
    columns = ("head", "place", "key", "metric", "evidence_params", "value", "coupled")
    parts = zip(places[use], *(rows[name].to_numpy()[use] for name in columns), strict=True)
    vectors: dict[int, tuple[list[Values], list[Values]]] = {}
    coupled: set[int] = set()
    broken: set[int] = set()
    for i, is_head, run, key, metric, params, value, together in parts:
        values = sides[int(is_head)].runs[run].evidence(key, metric, params)
        if values is None or not fits(values, value):
            broken.add(i)
            continue
        vectors.setdefault(i, ([], []))[int(is_head)].append(values)
        if together:
            coupled.add(i)
    for i in sorted(vectors.keys() - broken):
        base, head = vectors[i]
        block = SHARD if i in coupled else 1
        spread = (
            paired_spread(base, head, block)
            if paired.paired[found.point[i]]
            else unpaired_spread(base, head, block)
        )
        if spread is None:
            continue
        found.std_error[i], found.freedom[i] = spread.std_error, spread.freedom
        found.units[i] = spread.units
        shared = paired.paired[found.point[i]]
        found.basis[i] = Basis.PAIRED_SAMPLES if shared else Basis.SAMPLES
        found.identical[i] &= spread.identical


def _with_evidence(rows: pd.DataFrame, sides: tuple[Side, Side]) -> Flags:
    found = np.zeros(len(rows), dtype=bool)
    for is_head, side in enumerate(sides):
        for place, run in enumerate(side.runs):
            mine = (rows["head"].eq(bool(is_head)) & rows["place"].eq(place)).to_numpy()
            found[mine] = rows.loc[mine, "key"].isin(run.keys()).to_numpy()
    return found
