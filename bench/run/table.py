"""All cells of a run in one file, so that reading them is quick: a cache, the cell files decide.

``table.parquet`` holds the rows of many cells, one after another, and in the metadata of its
schema, for each of these cells, the name, size and modification time of the file that its rows
were read from. Rows count for a cell as long as its file still has that size and that time; all
others are read from their own files. So a table that is old, was cut, or was never written costs
time and nothing else.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.run.schema import ARROW, SCHEMA_VERSION

INDEX = b"scorebench_cells"
"""Key of the index in the metadata of the schema."""

SETTLED_NS = 2_000_000_000
"""Files younger than this are not taken into the table.

A file system may give two versions of a file, written within a tick of its clock, the same time.
"""


BATCH = 256
"""Tables that are joined at once: small ones hold a hundred times the memory of their rows."""


@dataclass(frozen=True)
class Stamp:
    """What tells one version of a file from the next."""

    size: int
    modified_ns: int

    @property
    def settled(self) -> bool:
        """Whether a later version must have another time."""
        return time.time_ns() - self.modified_ns > SETTLED_NS


@dataclass(frozen=True)
class Extent:
    """Where the rows of a cell stand, and which version of its file they are of."""

    stamp: Stamp
    first: int
    count: int


@dataclass(frozen=True)
class Consolidated:
    """The rows of many cells."""

    rows: pa.Table
    extents: Mapping[str, Extent]

    @staticmethod
    def nothing() -> Consolidated:
        """A table that covers no cell."""
        return Consolidated(ARROW.empty_table(), {})

    def covers(self, key: str, stamp: Stamp) -> bool:
        """Whether the table has the rows of this version of the cell's file."""
        extent = self.extents.get(key)
        return extent is not None and extent.stamp == stamp

    def extended(self, cells: Iterable[tuple[str, Stamp, pa.Table]]) -> Consolidated:
        """With the rows of more cells; those that a cell had before count no longer."""
        extents, first = dict(self.extents), len(self.rows)
        pieces, piece = [self.rows], []
        for key, stamp, rows in cells:
            extents[key] = Extent(stamp, first, len(rows))
            first += len(rows)
            piece.append(rows)
            if len(piece) == BATCH:
                pieces.append(joined(piece).combine_chunks())
                piece = []
        return Consolidated(joined([*pieces, *piece]), extents)

    def only(self, keys: Sequence[str]) -> Consolidated:
        """The rows of the cells ``keys`` alone, in that order."""
        wanted = [self.extents[key] for key in keys]
        counts = np.array([extent.count for extent in wanted], dtype=np.int64)
        firsts = np.array([extent.first for extent in wanted], dtype=np.int64)
        starts = counts.cumsum() - counts
        places = np.repeat(firsts - starts, counts) + np.arange(counts.sum())
        in_place = len(places) == len(self.rows) and bool((np.diff(places) == 1).all())
        extents = {
            key: Extent(extent.stamp, int(first), extent.count)
            for key, extent, first in zip(keys, wanted, starts, strict=True)
        }
        return Consolidated(self.rows if in_place else self.rows.take(pa.array(places)), extents)


def joined(parts: Sequence[pa.Table]) -> pa.Table:
    """One table under another, with all columns of the schema.

    Columns that a part lacks, because an earlier version wrote it, are null there.
    """
    if all(part.schema.equals(ARROW) for part in parts):
        return pa.concat_tables(parts)
    return pa.concat_tables([ARROW.empty_table(), *parts], promote_options="permissive")


def stamps(folder: Path) -> dict[str, Stamp]:
    """The cell files of a folder by key, with their versions; empty where there is no folder."""
    found: dict[str, Stamp] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                key, dot, end = entry.name.rpartition(".")
                if dot and end == "parquet" and not key.startswith("."):
                    state = entry.stat()
                    found[key] = Stamp(state.st_size, state.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


def read(path: Path) -> Consolidated | None:
    """The table at ``path``; None where there is none, or none that this program can use."""
    try:
        with pq.ParquetFile(path) as file:
            told = file.schema_arrow.metadata or {}
            if told.get(b"scorebench_schema_version") != str(SCHEMA_VERSION).encode():
                return None
            rows = file.read(use_threads=True)
        entries = json.loads(told[INDEX])
        extents, first = {}, 0
        for key, size, modified_ns, count in entries:
            extents[str(key)] = Extent(Stamp(int(size), int(modified_ns)), first, int(count))
            first += int(count)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return None
    return Consolidated(rows, extents) if first == len(rows) else None


def foreign(path: Path) -> bool:
    """Whether ``path`` is a table that somebody else wrote."""
    try:
        with pq.ParquetFile(path) as file:
            return INDEX not in (file.schema_arrow.metadata or {})
    except (OSError, pa.ArrowException):
        return False


def content(table: Consolidated) -> bytes:
    """The file of a table."""
    index = [
        [key, extent.stamp.size, extent.stamp.modified_ns, extent.count]
        for key, extent in table.extents.items()
    ]
    metadata = {
        b"scorebench_schema_version": str(SCHEMA_VERSION).encode(),
        INDEX: json.dumps(index, separators=(",", ":")).encode(),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(table.rows.replace_schema_metadata(metadata), sink)
    return bytes(memoryview(sink.getvalue()))
