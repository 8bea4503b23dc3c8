"""All cells of a run in one file, so that reading them is quick: a cache, the cell files decide.

``table.parquet`` holds the rows of many cells, one after another, and in the metadata of its
schema, for each of these cells, the name, size and modification time of the file that its rows
were read from. Rows count for a cell as long as its file still has that size and that time; all
others are read from their own files. So a table that is old, damaged (see `bench.results.seal`), or
was never written costs time and nothing else.
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

from bench.core.errors import BenchError
from bench.results import parquet_file, seal
from bench.results.schema import ARROW

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
    """The version of a file."""

    size: int
    modified_ns: int

    @property
    def settled(self) -> bool:
        """True if any later version must have another time."""
        return time.time_ns() - self.modified_ns > SETTLED_NS


@dataclass(frozen=True)
class Extent:
    """The place of a cell's rows, and the version of its file that they are of."""

    stamp: Stamp
    first: int
    count: int


@dataclass(frozen=True)
class Consolidated:
    """The rows of many cells."""

    rows: pa.Table
    extents: Mapping[str, Extent]

    def covers(self, key: str, stamp: Stamp) -> bool:
        """Tell whether the table has the rows of this version of the cell's file."""
        extent = self.extents.get(key)
        return extent is not None and extent.stamp == stamp

    def add(self, cells: Iterable[tuple[str, Stamp, pa.Table]]) -> Consolidated:
        """Add the rows of more cells; those that a cell had before count no longer."""
        extents, first = dict(self.extents), len(self.rows)
        pieces, piece = [self.rows], []
        for key, stamp, rows in cells:
            extents[key] = Extent(stamp, first, len(rows))
            first += len(rows)
            piece.append(rows)
            if len(piece) == BATCH:
                pieces.append(_join(piece).combine_chunks())
                piece = []
        return Consolidated(_join([*pieces, *piece]), extents)

    def select(self, keys: Sequence[str]) -> Consolidated:
        """Select the rows of the cells ``keys``, in that order."""
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

    def content(self) -> bytes:
        """Return the content of the file."""
        index = [
            [key, extent.stamp.size, extent.stamp.modified_ns, extent.count]
            for key, extent in self.extents.items()
        ]
        text = json.dumps(index, separators=(",", ":"))
        return parquet_file.pack(self.rows, "table", {INDEX: text.encode()})


def _join(parts: Sequence[pa.Table]) -> pa.Table:
    """Put tables one under another; columns that an earlier version did not write are null."""
    if all(part.schema.equals(ARROW) for part in parts):
        return pa.concat_tables(parts)
    return pa.concat_tables([ARROW.empty_table(), *parts], promote_options="permissive")


def stamps(folder: Path) -> dict[str, Stamp]:
    """Return the cell files of a folder by key, with their versions; none without a folder.

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


def read(path: Path) -> Consolidated:
    """Read the table at ``path``; one of no cell where there is none that this program can use."""
    nothing = Consolidated(ARROW.empty_table(), {})
    extents, first = {}, 0
    try:
        content = seal.read(path, "table", limit=seal.LARGE)
        rows = parquet_file.unpack(content, path, threads=True)
        for key, size, modified_ns, count in json.loads(rows.schema.metadata[INDEX]):
            extents[str(key)] = Extent(Stamp(int(size), int(modified_ns)), first, int(count))
            first += int(count)
    except (BenchError, *parquet_file.UNREADABLE):
        return nothing
    return Consolidated(rows, extents) if first == len(rows) else nothing


def is_foreign(path: Path) -> bool:
    """Tell whether somebody else put ``path`` there; a damaged table of ours is not foreign."""
    try:
        content = seal.read_whole(path, seal.LARGE)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except seal.DamagedError:
        return True
    if INDEX in content or seal.MARK in content:
        return False
    return parquet_file.is_parquet(content)
