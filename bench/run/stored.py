"""Inspects a results folder before a run: finished cells, and damaged files.

A run sets damaged files aside, in `<root>/set-aside/`, and makes them anew; it deletes none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.results import damage, seal
from bench.results import table as tables
from bench.results.path_file import name_of
from bench.results.seal import DamagedError, OldError
from bench.results.store import KnownRows, Store

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
    found = store.known([cell.key for cell in cells], ("status", "weights"))
    finished = set(found.finished)
    keys = [cell.key for cell in cells if cell.key not in found.old]
    every = (damage.samples, damage.answers, damage.evidence)
    beside = tuple(error for find in every for error in find(store, keys))
    finished -= {error.path.stem for error in beside}
    pictures = damage.paths(store)
    finished -= set(
        _cells_to_draw([cell for cell in cells if cell.key in finished], found, pictures)
    )
    strangers = _strangers(store, {cell.key for cell in cells})
    damaged = (*damage.singles(store), *found.damaged, *strangers, *beside, *pictures)
    return StoredResults(frozenset(finished), damaged, len(found.old))


def _strangers(store: Store, keys: set[str]) -> Iterator[DamagedError]:
    """Files among the cells whose name is no cell's: copies, and what somebody put there."""
    for name in sorted(tables.stamps(store.root / "cells")):
        if not _KEY.fullmatch(name) and name not in keys:
            error = seal.check(store.cell_path(name), f"cells/{name}")
            if error is not None and not isinstance(error, OldError):
                yield error


def _cells_to_draw(
    cells: Iterable[Cell], found: KnownRows, pictures: Sequence[DamagedError]
) -> Iterator[str]:
    """One cell for each damaged picture of paths, whose run draws it again."""
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
