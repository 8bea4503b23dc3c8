"""The difference of each point and its standard error, from the best that there is.

In this order: numbers per sample (evidence) on both sides; seeds; standard errors from within the
runs; nothing. Where both sides share seeds they share noise: differences are taken sample by
sample, or seed by seed, so that what the noise does to both falls out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.compare.inputs import SAMPLES, ResultSet
from bench.compare.pairs import Pairs
from bench.core.shard import SHARD
from bench.results.evidence import Values
from bench.stats.arrays import Flags, Floats, Ints
from bench.stats.spread import SampleSpread, paired_spread, unpaired_spread, welch_error


class Basis(StrEnum):
    """What an interval rests on."""

    PAIRED_SAMPLES = "paired samples"
    SAMPLES = "samples"
    PAIRED_SEEDS = "paired seeds"
    SEEDS = "seeds"
    STD_ERROR = "standard errors"
    NONE = "nothing"


def estimates(pairs: Pairs, comparable: Flags, inputs: tuple[ResultSet, ResultSet]) -> pd.DataFrame:
    """The estimates of all comparable points, indexed by point.

    Columns are `base` and `head`, means over the seeds; `std_error` of their difference, NaN where
    nothing is known; `freedom`, its degrees of freedom, infinite where it is taken for exact;
    `basis`, what it rests on; `units`, how many samples or seeds a side has; `identical`, whether
    every bit of values and evidence agrees.
    """
    rows = pairs.rows[pairs.chosen & comparable[pairs.rows["point"]]]
    point = np.unique(rows["point"].to_numpy())
    # Sorted by seed, so that on both sides the same seeds stand at the same places.
    rows = rows.sort_values(["point", "seed"], kind="stable")
    place = np.searchsorted(point, rows["point"].to_numpy())
    is_head = rows["head"].to_numpy(bool)
    base, head = (_means(rows[s], place[s], len(point)) for s in (~is_head, is_head))
    shared = pairs.paired[point]
    gap_place, gaps = _seed_gaps(base, head, shared)
    error, freedom, basis = _from_table(
        base, head, shared, _paired_error(gap_place, gaps, len(point))
    )
    units = np.minimum(base.count, head.count)
    identical = shared.copy()
    identical[gap_place[gaps != 0]] = False
    for i, spread in _sample_spreads(rows, place, shared, inputs):
        error[i], freedom[i], units[i] = spread.std_error, spread.freedom, spread.units
        basis[i] = Basis.PAIRED_SAMPLES if shared[i] else Basis.SAMPLES
        identical[i] &= spread.identical
    return pd.DataFrame(
        {
            "base": base.mean,
            "head": head.mean,
            "std_error": error,
            "freedom": freedom,
            "basis": basis.astype(str),
            "units": units,
            "identical": identical,
        },
        index=point,
    )


@dataclass(frozen=True)
class _SeedMeans:
    """The rows of one side: means by point, and what they are means of."""

    place: Ints
    values: Floats
    count: Floats
    mean: Floats
    variance: Floats
    squared_error: Floats


def _means(rows: pd.DataFrame, place: Ints, count: int) -> _SeedMeans:
    values = rows["value"].to_numpy()
    n = np.bincount(place, minlength=count).astype(float)
    mean = np.bincount(place, values, count) / n
    squares = np.bincount(place, (values - mean[place]) ** 2, count)
    # The mean of S independent numbers: the sum of the squared errors over S squared.
    error = np.bincount(place, rows["std_error"].to_numpy() ** 2, count) / n**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / (n - 1)
    return _SeedMeans(place, values, n, mean, variance, error)


def _from_table(
    base: _SeedMeans, head: _SeedMeans, shared: Flags, paired_error: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.object_]]:
    """Standard errors, degrees of freedom and basis, without numbers per sample."""
    error = np.sqrt(base.squared_error + head.squared_error)
    freedom = np.full(len(error), np.inf)
    basis = np.where(np.isnan(error), Basis.NONE, Basis.STD_ERROR).astype(object)
    several = np.minimum(base.count, head.count) >= 2
    apart, welch = welch_error((base.variance, head.variance), (base.count, head.count))
    for use, kind, std_error, degrees in (
        (several & ~shared, Basis.SEEDS, apart, welch),
        (several & shared, Basis.PAIRED_SEEDS, paired_error, base.count - 1),
    ):
        error, freedom = np.where(use, std_error, error), np.where(use, degrees, freedom)
        basis[use] = kind
    return error, freedom, basis


def _seed_gaps(base: _SeedMeans, head: _SeedMeans, shared: Flags) -> tuple[Ints, Floats]:
    """The differences HEAD - BASE over common seeds, and the places of their points."""
    mine, other = shared[base.place], shared[head.place]
    return base.place[mine], head.values[other] - base.values[mine]


def _paired_error(place: Ints, gaps: Floats, count: int) -> Floats:
    """The standard error of the mean difference over common seeds."""
    n = np.maximum(np.bincount(place, minlength=count), 1).astype(float)
    mean = np.bincount(place, gaps, count) / n
    squares = np.bincount(place, (gaps - mean[place]) ** 2, count)
    return np.asarray(np.sqrt(squares / np.maximum(n - 1, 1) / n))


def _sample_spreads(
    rows: pd.DataFrame, place: Ints, shared: Flags, inputs: tuple[ResultSet, ResultSet]
) -> Iterator[tuple[int, SampleSpread]]:
    """The spreads of the points that have numbers per sample in all rows of both sides."""
    lacking = place[~_have_evidence(rows, inputs)]
    use = ~np.isin(place, lacking)
    columns = (rows[name].to_numpy()[use] for name in ("head", "coupled", *SAMPLES))
    vectors: defaultdict[int, tuple[list[Values], list[Values]]] = defaultdict(lambda: ([], []))
    coupled: set[int] = set()
    broken: set[int] = set()
    for i, head, together, *where in zip(place[use], *columns, strict=True):
        values = inputs[int(head)].samples(*where)
        if values is None:
            broken.add(i)
            continue
        vectors[i][int(head)].append(values)
        if together:
            coupled.add(i)
    for i in sorted(vectors.keys() - broken):
        spread_of = paired_spread if shared[i] else unpaired_spread
        spread = spread_of(*vectors[i], SHARD if i in coupled else 1)
        if spread is not None:
            yield i, spread


def _have_evidence(rows: pd.DataFrame, inputs: tuple[ResultSet, ResultSet]) -> Flags:
    found = np.zeros(len(rows), dtype=bool)
    for is_head, side in enumerate(inputs):
        for place, run in enumerate(side.runs):
            mine = (rows["head"].eq(bool(is_head)) & rows["place"].eq(place)).to_numpy()
            found[mine] = rows.loc[mine, "key"].isin(run.keys()).to_numpy()
    return found
