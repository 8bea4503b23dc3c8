"""All cells of a run in one file, so that reading them is quick: a cache, the cell files decide.

``table.parquet`` holds the rows of many cells, one after another, and in the metadata of its
schema, for each of these cells, the name, size and modification time of the file that its rows
were read from. Rows count for a cell as long as its file still has that size and that time; all
others are read from their own files. So a table that is old, damaged (see `bench.results.seal`), or
was never written costs time and nothing else.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.errors import BenchError
from bench.results import seal
from bench.results.schema import ARROW, SCHEMA_VERSION

INDEX = b"scorebench_cells"
"""Key of the index in the metadata of the schema."""

SEAL = b"scorebench_seal"
"""Key of the seal there."""

UNREADABLE = (OSError, pa.ArrowException, ValueError, KeyError, TypeError)
"""What pyarrow raises on what is no Parquet file: thrift's errors and bad UTF-8 among them."""

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
    """The cell files of a folder by key, with their versions; empty where there is no folder.

    What is no file (a folder, a link to nothing) has a version too: reading it says what it is.

    Raises:
        BenchError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name[: -len(".parquet")]: _stamp(entry)
                for entry in entries
                if entry.name.endswith(".parquet") and not entry.name.startswith(".")
            }
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BenchError(
            f"{folder}: cannot be read ({error.strerror}); give yourself the right to read it"
        ) from None


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    try:
        state = entry.stat()
    except OSError:
        return Stamp(-1, -1)
    return Stamp(state.st_size, state.st_mtime_ns)


def read(path: Path) -> Consolidated | None:
    """The table at ``path``; None where there is none, or none that this program can use."""
    try:
        content = seal.read(path, "table", limit=seal.LARGE)
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            told = file.schema_arrow.metadata or {}
            if told.get(b"scorebench_schema_version") != str(SCHEMA_VERSION).encode():
                return None
            rows = file.read(use_threads=True)
        entries = json.loads(told[INDEX])
        extents, first = {}, 0
        for key, size, modified_ns, count in entries:
            extents[str(key)] = Extent(Stamp(int(size), int(modified_ns)), first, int(count))
            first += int(count)
    except (BenchError, *UNREADABLE):
        return None
    return Consolidated(rows, extents) if first == len(rows) else None


def foreign(path: Path) -> bool:
    """Whether somebody else put ``path`` there; a damaged table of ours is not foreign."""
    try:
        content = seal.whole(path, seal.LARGE)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except seal.DamagedError:
        return True
    if INDEX in content or seal.MARK in content:
        return False
    try:
        pq.ParquetFile(pa.BufferReader(content)).close()
    except UNREADABLE:
        return False
    return True


def content(table: Consolidated) -> bytes:
    """The file of a table."""
    index = [
        [key, extent.stamp.size, extent.stamp.modified_ns, extent.count]
        for key, extent in table.extents.items()
    ]
    return packed(table.rows, "table", {INDEX: json.dumps(index, separators=(",", ":")).encode()})


def packed(
    rows: pa.Table,
    place: str,
    more: Mapping[bytes, bytes] | None = None,
    compression: str = "snappy",
) -> bytes:
    """Rows as a sealed Parquet file.

    Args:
        rows: of the schema.
        place: what the file is (see `bench.results.seal`).
        more: what else its metadata hold.
        compression: of the pages.
    """
    metadata = {
        b"scorebench_schema_version": str(SCHEMA_VERSION).encode(),
        **(more or {}),
        SEAL: seal.blank(place),
    }
    sink = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata(metadata), sink, compression=compression)
    return seal.sealed(sink.getvalue())


def metadata(content: bytes) -> Mapping[bytes, bytes]:
    """What the metadata of a Parquet file hold whose seal was verified."""
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        return dict(file.schema_arrow.metadata or {})


def unpacked(content: bytes, path: Path, remedy: str = seal.AGAIN) -> pa.Table:
    """The rows of a Parquet file whose seal was verified.

    Raises:
        DamagedError: it is of another version of the schema, or no Parquet file after all.
    """
    try:
        # Half the time of pq.read_table, which looks for a data set of many files.
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            table = file.read(use_threads=False)
    except UNREADABLE as error:
        raise seal.DamagedError(path, f"is damaged ({error})", remedy) from None
    found = (table.schema.metadata or {}).get(b"scorebench_schema_version", b"none").decode()
    if found != str(SCHEMA_VERSION):
        raise seal.OldError(path, seal.other_version(found), remedy)
    return table
