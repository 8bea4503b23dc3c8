"""Inspects a results folder before a run: finished cells, and damaged files.

A run sets damaged files aside, in `<root>/set-aside/`, and makes them anew; it deletes none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.results import damage, seal
from bench.results import table as tables
from bench.results.path_file import name_of
from bench.results.seal import DamagedError, OldError
from bench.results.store import FINAL, Row, Store
from bench.results.table import Consolidated

if TYPE_CHECKING:
    from bench.run.cell import Cell

_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class StoredResults:
    """The state of the results of some cells.

    Attributes:
        finished: keys of the cells that need not run.
        damaged: files that a run sets aside.
        old: how many cells have results of another version of the format, which run again.
    """

    finished: frozenset[str]
    damaged: tuple[DamagedError, ...] = ()
    old: int = 0


def inspect_results(store: Store, cells: Sequence[Cell]) -> StoredResults:
    """Verify every file of the results of ``cells``.

    The rows of a cell that the table of all cells has are taken from there: it has a checksum too.

    Raises:
        BenchError: the folder cannot be read.
    """
    found = _rows_of(store, [cell.key for cell in cells])
    finished = {
        key for key, rows in found.rows.items() if all(row["status"] in FINAL for row in rows)
    }
    keys = [cell.key for cell in cells if cell.key not in found.old]
    beside = (*damage.samples(store, keys), *damage.evidence(store, keys))
    finished -= {error.path.stem for error in beside}
    pictures = damage.paths(store)
    finished -= set(_drawing([cell for cell in cells if cell.key in finished], found, pictures))
    strangers = _strangers(store, {cell.key for cell in cells})
    damaged = (*damage.singles(store), *found.damaged, *strangers, *beside, *pictures)
    return StoredResults(frozenset(finished), damaged, len(found.old))


@dataclass(frozen=True)
class _Rows:
    rows: Mapping[str, list[Row]]
    damaged: tuple[DamagedError, ...]
    old: frozenset[str]


def _rows_of(store: Store, keys: Iterable[str]) -> _Rows:
    """`status` and `weights` of the rows of the cells that have sound ones."""
    columns = ["status", "weights"]
    there = tables.stamps(store.root / "cells")
    known = tables.read(store.table_path) or Consolidated.nothing()
    rows: list[Row] = known.rows.select(columns).to_pylist()
    found: dict[str, list[Row]] = {}
    damaged: list[DamagedError] = []
    old: set[str] = set()
    for key in keys:
        if key not in there:
            continue
        if known.covers(key, there[key]):
            extent = known.extents[key]
            found[key] = rows[extent.first : extent.first + extent.count]
            continue
        try:
            found[key] = store.cell(key)
        except OldError:
            old.add(key)
        except DamagedError as error:
            damaged.append(error)
        except (FileNotFoundError, NotADirectoryError):  # deleted in the meantime
            continue
    return _Rows(found, tuple(damaged), frozenset(old))


def _strangers(store: Store, keys: set[str]) -> Iterator[DamagedError]:
    """Files among the cells whose name is no cell's: copies, and what somebody put there."""
    for name in sorted(tables.stamps(store.root / "cells")):
        if not _KEY.fullmatch(name) and name not in keys:
            error = seal.checked(store.cell_path(name), f"cells/{name}")
            if error is not None and not isinstance(error, OldError):
                yield error


def _drawing(
    cells: Iterable[Cell], found: _Rows, pictures: Sequence[DamagedError]
) -> Iterator[str]:
    """Of each damaged picture of paths, one cell whose run draws it again."""
    wanted = {error.path.stem for error in pictures}
    for cell in cells:
        if not wanted:
            return
        weights = next((row["weights"] for row in found.rows[cell.key] if row["weights"]), "")
        name = name_of(
            (cell.model.name, cell.model.params.json),
            str(weights),
            (cell.process.name, cell.process.params.json),
        )
        if name in wanted:
            wanted.remove(name)
            yield cell.key
