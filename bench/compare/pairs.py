"""Pair the numbers of HEAD with those of BASE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.core.errors import BenchError
from bench.results.column import Use
from bench.results.frame import NUMBER
from bench.results.schema import columns
from bench.stats.arrays import Flags, Ints

POINT = (*columns(Use.SUBJECT, Use.CURVE, Use.POINT), *NUMBER)
"""What makes a point of a curve; the seeds of a point are replicates."""


@dataclass(frozen=True)
class Pairs:
    """The rows of both sides, numbered by point.

    Attributes:
        rows: those of `join_results`, with `point`, the number of the point over both sides.
        chosen: rows that take part in a comparison.
        paired: by point: whether the sides share seeds, which then belong together.
        both: by point: whether both sides have a usable number.
    """

    rows: pd.DataFrame
    chosen: Flags
    paired: Flags
    both: Flags


def pair_points(rows: pd.DataFrame) -> Pairs:
    """Number the points and choose what is compared: common seeds, else all of both sides.

    Raises:
        BenchError: one side has two numbers for the same point and seed.
    """
    point = codes(rows, POINT)
    usable = rows["usable"].to_numpy()
    rows = rows.assign(point=point)
    _check_unique(rows)
    count = int(point.max()) + 1 if len(point) else 0
    head = rows["head"].to_numpy()
    seeded = codes(rows, ("point", "seed"))
    of_seed = _both(seeded, head, usable)[seeded]
    paired = np.zeros(count, dtype=bool)
    paired[point[of_seed & usable]] = True
    both = _both(point, head, usable)
    chosen = usable & both[point] & (of_seed | ~paired[point])
    return Pairs(rows, chosen, paired, both)


def codes(rows: pd.DataFrame, columns: Sequence[str]) -> Ints:
    """0, 1, ... for the distinct combinations of columns, in order of first appearance."""
    code = np.zeros(len(rows), dtype=np.int64)
    for name in columns:
        part, values = pd.factorize(rows[name], use_na_sentinel=False)
        code, _ = pd.factorize(code * max(len(values), 1) + part)
    return code.astype(np.int64)


def _both(group: Ints, head: Flags, usable: Flags) -> Flags:
    count = int(group.max()) + 1 if len(group) else 0
    has = [np.bincount(group[usable & side], minlength=count) > 0 for side in (head, ~head)]
    return np.asarray(has[0] & has[1])


def _check_unique(rows: pd.DataFrame) -> None:
    twice = rows.duplicated(["head", "point", "seed"]).to_numpy() & rows["usable"].to_numpy()
    if twice.any():
        row = rows[twice].iloc[0]
        side = "HEAD" if row["head"] else "BASE"
        raise BenchError(
            f"{side} has two numbers for {row['suite']}: {row['sampler']}, {row['metric']}, seed "
            f"{row['seed']:g}; name the folder of one run, or leave some out with --only"
        )
