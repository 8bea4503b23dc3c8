"""Results on disk: one Parquet file per cell, written atomically, and the plan they belong to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bench.core.errors import BenchError
from bench.files.atomic import atomic_write_bytes
from bench.results import array_file, evidence, json_file, parquet_file, seal
from bench.results import table as tables
from bench.results.layout import Layout
from bench.results.schema import ARROW, Status
from bench.results.seal import DamagedError, OldError
from bench.results.table import Consolidated, Stamp

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from bench.results.path_file import Paths

Row = dict[str, Any]

FINAL = frozenset({Status.OK, Status.UNSUPPORTED, Status.DIVERGED})
"""Statuses that running again would not change; ``failed`` and ``timeout`` are tried anew."""

_REMEDY = (
    "free space or choose another place with --results, then run again: finished cells are kept"
)


@dataclass(frozen=True)
class KnownRows:
    """Some columns of the rows of some cells.

    Attributes:
        rows: by cell, of those that have sound ones.
        damaged: files that cannot be read.
        old: cells whose files are of another version of the format.
    """

    rows: Mapping[str, list[Row]]
    damaged: tuple[DamagedError, ...]
    old: frozenset[str]

    @property
    def finished(self) -> frozenset[str]:
        """The cells of which no row asks to be tried again; `status` must be among the columns."""
        cells = self.rows.items()
        return frozenset(key for key, rows in cells if all(row["status"] in FINAL for row in rows))


@dataclass(frozen=True)
class Store(Layout):
    """The results folder of one run."""

    def write_plan(self, run: str, keys: Sequence[str]) -> None:
        """Record which cells the results consist of."""
        plan = {"run": run, "cells": list(keys)}
        write_file(self.plan_path, json_file.pack(plan, "plan"))

    def write(
        self,
        key: str,
        rows: Sequence[Row],
        samples: np.ndarray | None,
        numbers: Mapping[str, np.ndarray] | None = None,
        answers: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Write one cell: the rows last, so that a cell with rows is complete.

        Args:
            key: of the cell.
            rows: of the table.
            samples: the first ones; None: no file.
            numbers: per sample, by name (see `bench.results.evidence`); none: no file.
            answers: what the first samples answer, by name (see `bench.run.shown`); none: no file.
        """
        place = f"samples/{key}"
        shown = None if samples is None else array_file.pack(samples, place)
        kept = evidence.pack(numbers, f"evidence/{key}") if numbers else None
        _write_or_delete(self.sample_path(key), shown)
        _write_or_delete(self.evidence_path(key), kept)
        asked = array_file.pack_many(answers, f"answers/{key}") if answers else None
        _write_or_delete(self.answer_path(key), asked)
        table = pa.Table.from_pylist(list(rows), schema=ARROW)
        write_file(self.cell_path(key), parquet_file.pack(table, f"cells/{key}"))

    def write_paths(self, paths: Paths) -> None:
        """Write the paths of a model under a process, unless they are there."""
        path = self.root / "paths" / f"{paths.name}.npz"
        if not path.exists():
            write_file(path, array_file.pack_many(paths.arrays, f"paths/{paths.name}"))

    def write_references(
        self, references: Mapping[str, str], bibtex: Mapping[str, str] | None = None
    ) -> None:
        """Add to the papers that the results rest on.

        Args:
            references: what plugins name, by kind and name.
            bibtex: BibTeX of those that carry their own, by kind and name.
        """
        known = {"references": self.references(), "bibtex": self.bibtex()}
        every = {
            "references": {**known["references"], **references},
            "bibtex": {**known["bibtex"], **(bibtex or {})},
        }
        if every != known:
            content = {name: dict(sorted(texts.items())) for name, texts in every.items()}
            write_file(self.references_path, json_file.pack(content, "references"))

    def references(self) -> dict[str, str]:
        """Read what each plugin of the results names as its paper.

        Empty without the file and where it is damaged: no number rests on it.
        """
        return self._papers("references")

    def bibtex(self) -> dict[str, str]:
        """Read the BibTeX of plugins that carry their own; empty as ``references``."""
        return self._papers("bibtex")

    def _papers(self, name: str) -> dict[str, str]:
        try:
            found = json_file.read(self.references_path, "references").get(name, {})
        except (OSError, BenchError):
            return {}
        items = found.items() if isinstance(found, dict) else ()
        return {str(plugin): str(text) for plugin, text in items}

    def cell(self, key: str) -> list[Row]:
        """Read the rows of a cell.

        Raises:
            FileNotFoundError, NotADirectoryError: there are none.
            DamagedError: its file is damaged, of another cell, or of another version.
        """
        rows: list[Row] = self._table(key).to_pylist()
        return rows

    def known(self, keys: Iterable[str], columns: Sequence[str]) -> KnownRows:
        """Read ``columns`` of the rows of cells: from the table what it covers, else from files."""
        there = tables.stamps(self.root / "cells")
        table = tables.read(self.table_path)
        rows: list[Row] = table.rows.select(columns).to_pylist()
        found: dict[str, list[Row]] = {}
        damaged: list[DamagedError] = []
        for key in keys:
            if key in there and table.covers(key, there[key]):
                extent = table.extents[key]
                found[key] = rows[extent.first : extent.first + extent.count]
            elif key in there:
                try:
                    found[key] = self._table(key).select(columns).to_pylist()
                except DamagedError as error:
                    damaged.append(error)
                except (FileNotFoundError, NotADirectoryError):  # deleted in the meantime
                    continue
        old = frozenset(error.path.stem for error in damaged if isinstance(error, OldError))
        now = tuple(error for error in damaged if not isinstance(error, OldError))
        return KnownRows(found, now, old)

    def load(self) -> pd.DataFrame:
        """Read all rows of the last plan that are there, in the plan's order.

        Raises:
            BenchError: no results, a damaged file, or files of another run.
        """
        frame: pd.DataFrame = self._rows(self._present()).rows.to_pandas()
        runs = sorted(frame["run"].dropna().unique())
        if len(runs) > 1 and not os.path.lexists(self.plan_path):
            raise BenchError(
                f"{self.root / 'cells'}: holds cells of several runs ({', '.join(runs[:5])}) and "
                "no plan.json tells which count; keep those of one run, or run it again"
            )
        return frame

    def consolidate(self) -> None:
        """Bring ``table.parquet`` up to date, so that the next ``load`` is quick.

        It stays as it is where it covers all that it can, where somebody else wrote it, and where
        it cannot be written. What is wrong with the results is for ``load`` to say.
        """
        with contextlib.suppress(BenchError):
            settled = {key: stamp for key, stamp in self._present().items() if stamp.settled}
            known = tables.read(self.table_path)
            covered = all(known.covers(key, stamp) for key, stamp in settled.items())
            if not covered and not tables.is_foreign(self.table_path):
                write_file(self.table_path, self._rows(settled).content())

    def _present(self) -> dict[str, Stamp]:
        """The cells of the last plan that are there, in its order, each with its file's version."""
        there = tables.stamps(self.root / "cells")
        try:
            keys = json_file.read(self.plan_path, "plan").get("cells")
        except (FileNotFoundError, NotADirectoryError):
            keys = sorted(there)
        if isinstance(keys, list) and all(isinstance(key, str) for key in keys):
            return {key: there[key] for key in keys if key in there}
        raise DamagedError(self.plan_path, "names no list of cells")

    def _rows(self, cells: Mapping[str, Stamp]) -> Consolidated:
        """The rows of ``cells`` in their order: from the table what it covers, else from files.

        A file that changes meanwhile has another version than the one given: its rows, whichever
        were read, are not taken for those of that version again.
        """
        if not cells:
            raise BenchError(
                f"{self.root}: holds no results; run `bench run FILE --results {self.root.parent}`"
            )
        known = tables.read(self.table_path)
        others = {key: stamp for key, stamp in cells.items() if not known.covers(key, stamp)}
        try:
            read = ((key, stamp, self._table(key)) for key, stamp in others.items())
            return known.add(read).select(list(cells))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BenchError(
                f"{error.filename}: was deleted while the results were read; try again"
            ) from None

    def _table(self, key: str) -> pa.Table:
        path = self.cell_path(key)
        return parquet_file.unpack(seal.read(path, f"cells/{key}"), path)


def write_file(path: Path, content: bytes) -> None:
    """Write a file of results, all of it or nothing.

    Raises:
        BenchError: it cannot be written.
    """
    atomic_write_bytes(path, content, _REMEDY)


def _write_or_delete(path: Path, content: bytes | None) -> None:
    """Write a file; without content, leave none of an earlier version of the cell."""
    if content is not None:
        write_file(path, content)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
