"""Points whose numbers rest on different protocols, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def refusals(pairs: Pairs, fields: Sequence[str] = QUALITY) -> tuple[Flags, list[Refusal]]:
    """By point, whether it must not be compared; and the reasons, those alike together."""
    rows, chosen = pairs.rows, pairs.chosen
    used = rows[chosen]
    point = used["point"].to_numpy()
    refused = np.zeros(len(pairs.both), dtype=bool)
    reasons: list[pd.DataFrame] = []
    for field in fields:
        if field == "reference_hash":
            differs = _references(used, pairs)
        else:
            differs = _several(point, used[field], len(refused))
        # The first field that differs stands for a point.
        reasons.append(_sides(used[(differs & ~refused)[point]], field))
        refused |= differs
    found = [reason for frame in reasons for reason in _grouped(frame, pairs)]
    return refused, found


def _several(point: Ints, values: pd.Series, count: int) -> Flags:
    """By point, whether it has more than one value."""
    code, _ = pd.factorize(values, use_na_sentinel=False)
    low = np.full(count, np.iinfo(np.int64).max)
    high = np.full(count, -1)
    np.minimum.at(low, point, code)
    np.maximum.at(high, point, code)
    return np.asarray((high >= 0) & (low != high))


def _references(used: pd.DataFrame, pairs: Pairs) -> Flags:
    """By point, whether the references differ.

    With common seeds they must agree seed by seed. Else a metric that drew its reference with the
    seed shows in that every seed of a side, of several, has a hash of its own.
    """
    count = len(pairs.both)
    several = _several(used["point"].to_numpy(), used["reference_hash"], count)
    if not several.any():
        return several
    some = used[several[used["point"]]]
    differs = np.zeros(count, dtype=bool)
    for _, part in some.groupby("point", sort=False):
        point = int(part["point"].iloc[0])
        hashes = part["reference_hash"]
        if pairs.paired[point]:
            differs[point] = hashes.groupby(part["seed"]).nunique().gt(1).any()
        else:
            own = [side.nunique() == len(side) > 1 for _, side in hashes.groupby(part["head"])]
            differs[point] = not all(own)
    return differs


def _sides(part: pd.DataFrame, field: str) -> pd.DataFrame:
    """One line for each point: its values on both sides."""
    place = part.drop_duplicates("point").set_index("point")[["suite", "model", "metric"]]
    texts = part[field].map(_text) if field in part else part["point"].map(str)
    for name, side in (("base", ~part["head"]), ("head", part["head"])):
        values = (
            texts[side].groupby(part.loc[side, "point"]).agg(lambda v: ", ".join(sorted(set(v))))
        )
        place = place.assign(**{name: values})
    return place.assign(field=field).reset_index()


def _grouped(frame: pd.DataFrame, pairs: Pairs) -> Iterator[Refusal]:
    names = ["suite", "model", "metric", "field", "base", "head"]
    for _, part in frame.groupby(names, sort=False):
        suite, model, metric, field, base, head = map(str, part[names].iloc[0])
        seeded = field == "reference_hash" and not pairs.paired[part["point"]].all()
        remedy = _SEEDED if seeded else _REMEDY
        yield Refusal(suite, model, metric, field, base, head, remedy, len(part))


def _text(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text[:16] if len(text) == 64 else text or "(none)"
