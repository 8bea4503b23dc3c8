"""Rows without a number, and remarks of the samplers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.render.labels import tick
from bench.results.frame import SUBJECT, Subject
from bench.results.schema import Status

MAX_FAILURES = 500
"""Distinct failures that the page lists; table.csv has all."""


@dataclass(frozen=True)
class FailedRows:
    """Rows that failed in the same way."""

    status: str
    subject: str
    curve: str
    where: str
    metrics: str
    reason: str
    rows: int


@dataclass(frozen=True)
class SamplerNote:
    """A remark of a sampler's plugin on its numbers."""

    curve: str
    subject: str
    text: str


def failures(frame: pd.DataFrame) -> tuple[FailedRows, ...]:
    """List all rows without a usable value, those alike in one line, in the order of the table."""
    failed = frame[~frame["usable"]].copy()
    failed.loc[failed["status"].eq(Status.OK), "reason"] = "the value is missing or not finite"
    failed["place"] = _places(failed)
    groups = failed.groupby([*SUBJECT, "curve", "status", "reason"], sort=False, dropna=False)
    return tuple(_failure(key, part) for key, part in groups)


def notes(frame: pd.DataFrame) -> tuple[SamplerNote, ...]:
    """List the remarks of the samplers' plugins, each once."""
    if "note" not in frame:  # a table of an earlier version
        return ()
    remarks = frame[frame["note"].fillna("").ne("")]
    found = remarks[[*SUBJECT, "curve", "note"]].drop_duplicates()
    return tuple(
        SamplerNote(
            str(row["curve"]), Subject(*(str(row[k]) for k in SUBJECT)).title, str(row["note"])
        )
        for row in found.to_dict("records")
    )


def _places(frame: pd.DataFrame) -> list[str]:
    """Describe budget or tolerance of each row."""
    return [
        f"NFE {tick(budget)}"
        if budget > 0
        else f"tolerance {tolerance:.3g}"
        if tolerance > 0
        else ""
        for budget, tolerance in zip(frame["budget"], frame["tolerance"], strict=True)
    ]


def _failure(key: Sequence[object], part: pd.DataFrame) -> FailedRows:
    subject = Subject(*map(str, key[: len(SUBJECT)]))
    curve, status, reason = map(str, key[len(SUBJECT) :])
    seeds = sorted(int(seed) for seed in part["seed"].dropna().unique())
    where = _enumerate([*part["place"].unique(), "seed " + ", ".join(map(str, seeds[:8]))])
    metrics = _enumerate(part["metric"].unique())
    return FailedRows(status, subject.title, curve, where, metrics, reason, len(part))


def _enumerate(names: Iterable[object], limit: int = 12) -> str:
    texts = [str(name) for name in names if str(name)]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more
