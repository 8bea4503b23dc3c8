"""The protocol behind the numbers: values that all share, values that differ, and conflicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.render.labels import number
from bench.results.frame import SUBJECT, Subject
from bench.results.places import parse_files
from bench.results.protocol import PROTOCOL, QUALITY, TIMING, without_round_off

MAX_LINES = 60
"""Lines of one table of the protocol that the page shows; table.csv has all."""

# From the coarsest to the finest: the first that determines a column explains how it differs.
_EXPLANATIONS: tuple[tuple[str, ...], ...] = (
    ("suite",),
    ("model", "model_params"),
    ("task", "task_params"),
    ("process", "process_params"),
    ("solver",),
    ("metric",),
    ("corrector",),
    ("guidance", "guidance_params"),
    ("model", "model_params", "process", "process_params"),
    ("model", "model_params", "metric"),
    ("suite", "metric"),
    ("suite", "solver"),
    ("model", "model_params", "metric", "seed"),
    ("suite", "model", "model_params", "metric", "seed"),
    (*SUBJECT, "metric"),
)


@dataclass(frozen=True)
class SharedColumn:
    """A protocol column that is the same for all numbers."""

    column: str
    value: str


@dataclass(frozen=True)
class DifferingColumn:
    """A protocol column that is not: its values, each with the rows that have it."""

    column: str
    lines: tuple[tuple[str, str], ...]
    hidden: int


@dataclass(frozen=True)
class ProtocolConflict:
    """Numbers of one metric of one subject that differ in protocol."""

    subject: str
    metrics: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ProtocolSummary:
    """Everything the page says about protocol."""

    common: tuple[SharedColumn, ...]
    differing: tuple[DifferingColumn, ...]
    plugins: tuple[tuple[str, str], ...]
    conflicts: tuple[ProtocolConflict, ...]
    timing_conflicts: tuple[ProtocolConflict, ...]


def protocol_summary(frame: pd.DataFrame) -> ProtocolSummary:
    """Summarise the protocol of the usable rows, or of all rows where none is usable."""
    rows = frame[frame["usable"]] if frame["usable"].any() else frame
    rows = without_round_off(rows)
    rows = rows.assign(
        files=rows["files"].map({text: _list_files(text) for text in set(rows["files"])})
    )
    unwanted = {"plugin_sources", *(() if rows["files"].any() else ("files",))}
    columns = [name for name in PROTOCOL if name not in unwanted]
    single = [name for name in columns if rows[name].nunique(dropna=False) <= 1]
    return ProtocolSummary(
        common=tuple(SharedColumn(name, _text(rows[name].iloc[0])) for name in single if len(rows)),
        differing=tuple(_differing(rows, name) for name in columns if name not in single),
        plugins=_plugins(rows["plugin_sources"].unique()),
        conflicts=_conflicts(rows, "protocol", QUALITY),
        timing_conflicts=_conflicts(rows, "hardware", TIMING),
    )


def _list_files(files: str) -> str:
    """List the files that parameters name, with their digests."""
    return "; ".join(f"{path} ({digest})" for digest, path in parse_files(files).items())


def start_times(frame: pd.DataFrame) -> tuple[str, str]:
    """Return the times when the first and the last cell began."""
    times = sorted(time for time in frame["started"].unique() if time)
    return (times[0], times[-1]) if times else ("", "")


def _differing(rows: pd.DataFrame, column: str) -> DifferingColumn:
    for keys in _EXPLANATIONS:
        pairs = rows[[*keys, column]].drop_duplicates()
        if len(pairs) == len(pairs[list(keys)].drop_duplicates()):
            lines = [(_join(line[:-1]), _text(line[-1])) for line in pairs.itertuples(index=False)]
            return DifferingColumn(column, tuple(lines[:MAX_LINES]), max(0, len(lines) - MAX_LINES))
    counts = rows.groupby([*SUBJECT, column], dropna=False, sort=False).size()
    lines = [
        (f"{Subject(*map(str, key[:-1])).title} ({count} rows)", _text(key[-1]))
        for key, count in counts.items()
        if isinstance(key, tuple)
    ]
    return DifferingColumn(column, tuple(lines[:MAX_LINES]), max(0, len(lines) - MAX_LINES))


def _conflicts(
    rows: pd.DataFrame, number_of: str, columns: Sequence[str]
) -> tuple[ProtocolConflict, ...]:
    """Find the metrics whose rows differ within a subject, those of the same columns together."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    doubtful = rows[rows[number_of] > 0][[*SUBJECT, "metric"]].drop_duplicates()
    if doubtful.empty:
        return ()
    affected = rows.merge(doubtful, on=[*SUBJECT, "metric"])
    for key, part in affected.groupby([*SUBJECT, "metric"], sort=False):
        names = tuple(name for name in columns if part[name].nunique(dropna=False) > 1)
        title = Subject(*map(str, key[:-1])).title
        found.setdefault((title, names), []).append(str(key[-1]))
    return tuple(
        ProtocolConflict(title, ", ".join(metrics), names)
        for (title, names), metrics in found.items()
    )


def _plugins(sources: Iterable[object]) -> tuple[tuple[str, str], ...]:
    """List the plugins of all cells and where each came from."""
    merged: dict[str, set[str]] = {}
    for source in sources:
        for name, origin in _parse(str(source)).items():
            merged.setdefault(name, set()).add(origin)
    return tuple((name, "; ".join(sorted(origins))) for name, origins in sorted(merged.items()))


def _parse(source: str) -> Mapping[str, str]:
    try:
        found = json.loads(source or "{}")
    except ValueError:
        return {"(not JSON)": source}
    if not isinstance(found, dict):
        return {"(unnamed)": source}
    return {
        str(name): origin if isinstance(origin, str) else json.dumps(origin)
        for name, origin in found.items()
    }


def _join(parts: Iterable[object]) -> str:
    return " · ".join(str(part) for part in parts if str(part) not in ("", "{}")) or "(none)"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else number(value)
    return str(value) or "–"
