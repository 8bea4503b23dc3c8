"""Points whose numbers rest on different protocols, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.compare.pairs import Pairs
from bench.results.protocol import QUALITY
from bench.stats.arrays import Flags, Ints


@dataclass(frozen=True)
class Refusal:
    """Comparisons that were refused for the same reason.

    Attributes:
        suite, model, metric: where.
        field: the column that differs.
        base, head: its values.
        remedy: what to do.
        points: how many comparisons.
    """

    suite: str
    model: str
    metric: str
    field: str
    base: str
    head: str
    remedy: str
    points: int


_REMEDY = "run both under the same protocol"
_SEEDED = "the metric may draw its reference with the seed: run both with the same seeds"


def refusals(pairs: Pairs) -> tuple[Flags, list[Refusal]]:
    """By point, whether it must not be compared; and the reasons, those alike together."""
    used = pairs.rows[pairs.chosen]
    refused = np.zeros(len(pairs.both), dtype=bool)
    reasons: list[Refusal] = []
    for column in QUALITY:
        several = used.groupby("point")[column].nunique(dropna=False).gt(1)
        differs = several.index[several].to_numpy(dtype=np.int64)
        if column == "reference_hash":
            differs = _other_references(used, differs, pairs)
        # The first column that differs stands for a point.
        first = differs[~refused[differs]]
        reasons += _reasons(used[used["point"].isin(first)], column, pairs)
        refused[differs] = True
    return refused, reasons


def _other_references(used: pd.DataFrame, points: Ints, pairs: Pairs) -> Ints:
    """Those of some points that have several hashes whose references differ.

    With common seeds they must agree seed by seed. Else a metric that drew its reference with the
    seed shows in that every seed of a side, of several, has a hash of its own.
    """
    found = []
    for _, part in used[used["point"].isin(points)].groupby("point"):
        point = int(part["point"].iloc[0])
        hashes = part["reference_hash"]
        if pairs.paired[point]:
            differs = bool(hashes.groupby(part["seed"]).nunique().gt(1).any())
        else:
            sides = (side for _, side in hashes.groupby(part["head"]))
            differs = not all(side.nunique() == len(side) > 1 for side in sides)
        if differs:
            found.append(point)
    return np.array(found, dtype=np.int64)


def _reasons(part: pd.DataFrame, column: str, pairs: Pairs) -> Iterator[Refusal]:
    """The points of these rows, those of equal values on both sides together."""
    if part.empty:
        return
    texts = part[column].map(_text).groupby([part["point"], part["head"]])
    values = texts.agg(lambda side: ", ".join(sorted(set(side)))).unstack("head")
    points = part.drop_duplicates("point").set_index("point")[["suite", "model", "metric"]]
    points = points.assign(base=values[False], head=values[True])
    for key, same in points.groupby(["suite", "model", "metric", "base", "head"], sort=False):
        suite, model, metric, base, head = map(str, key)
        seeded = column == "reference_hash" and not pairs.paired[same.index].all()
        remedy = _SEEDED if seeded else _REMEDY
        yield Refusal(suite, model, metric, column, base, head, remedy, len(same))


def _text(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text[:16] if len(text) == 64 else text or "(none)"
