"""Results on disk: one Parquet file per cell, written atomically, and the plan they belong to.

<root>/plan.json             the keys of the last plan, in order
<root>/cells/<key>.parquet   the rows of one cell: these files are the results
<root>/samples/<key>.npy     its first samples, uint8 images or float32 points
<root>/paths/<hash>.npz      paths of a process over p_t (see `bench.run.paths`)
<root>/references.json       papers of the plugins of all runs, by kind and name
<root>/evidence/<key>.safetensors   numbers per sample, for bench.compare (bench.results.evidence)
<root>/table.parquet         the rows of all cells, a cache (see `bench.results.table`)
<root>/set-aside/            what was damaged (see `bench.run.survey`)

Each file carries a seal, which is verified whenever it is read (see `bench.results.seal`).
"""

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
from bench.results import array_file, json_file, seal
from bench.results import table as tables
from bench.results.schema import ARROW, Status
from bench.results.table import Consolidated, Stamp

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from bench.results.path_file import Paths

Row = dict[str, Any]

REMEDY = (
    "free space or choose another place with --results, then run again: finished cells are kept"
)

FINAL = frozenset({Status.OK, Status.UNSUPPORTED, Status.DIVERGED})
"""Statuses that running again would not change; ``failed`` and ``timeout`` are tried anew."""


@dataclass(frozen=True)
class Store:
    """The results folder of one run."""

    root: Path

    @property
    def plan_path(self) -> Path:
        """Where the keys of the last plan stand."""
        return self.root / "plan.json"

    @property
    def table_path(self) -> Path:
        """Where the rows of all cells stand in one file."""
        return self.root / "table.parquet"

    @property
    def references_path(self) -> Path:
        """Where the papers of the plugins stand."""
        return self.root / "references.json"

    def cell_path(self, key: str) -> Path:
        """The Parquet file of a cell."""
        return self.root / "cells" / f"{key}.parquet"

    def sample_path(self, key: str) -> Path:
        """The first samples of a cell."""
        return self.root / "samples" / f"{key}.npy"

    def write_plan(self, run: str, keys: Sequence[str]) -> None:
        """Record which cells the results consist of."""
        plan = {"run": run, "cells": list(keys)}
        write_file(self.plan_path, json_file.packed(plan, "plan"))

    def evidence_path(self, key: str) -> Path:
        """The numbers per sample of a cell."""
        return self.root / "evidence" / f"{key}.safetensors"

    def write(
        self,
        key: str,
        rows: Sequence[Row],
        samples: np.ndarray | None,
        evidence: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Write one cell: the rows last, so that a cell with rows is complete."""
        from bench.results.evidence import packed

        shown = None if samples is None else array_file.packed(samples, f"samples/{key}")
        kept = packed(evidence, f"evidence/{key}") if evidence else None
        self._put(self.sample_path(key), shown)
        self._put(self.evidence_path(key), kept)
        table = pa.Table.from_pylist(list(rows), schema=ARROW)
        write_file(self.cell_path(key), tables.packed(table, f"cells/{key}"))

    @staticmethod
    def _put(path: Path, content: bytes | None) -> None:
        """Write a file; without content, leave none of an earlier version of the cell."""
        if content is not None:
            write_file(path, content)
        else:
            with contextlib.suppress(OSError):
                path.unlink()

    def write_paths(self, paths: Paths) -> None:
        """Write the paths of a model under a process, unless they are there."""
        place = self.root / "paths" / f"{paths.name}.npz"
        if not place.exists():
            write_file(place, array_file.packed_many(paths.arrays, f"paths/{paths.name}"))

    def write_references(self, references: Mapping[str, str]) -> None:
        """Add to the papers that the results rest on: what plugins name, by kind and name."""
        known = self.references()
        if not references.items() <= known.items():
            every = dict(sorted({**known, **references}.items()))
            content = json_file.packed({"references": every}, "references")
            write_file(self.references_path, content)

    def references(self) -> dict[str, str]:
        """What each plugin of the results names as its paper.

        Empty for results without them, and where the file is damaged: it bears no number, and
        `bench.run.survey` names it.
        """
        try:
            found = json_file.read(self.references_path, "references")["references"]
        except (OSError, BenchError):
            return {}
        return {str(name): str(text) for name, text in found.items()}

    def cell(self, key: str) -> list[Row]:
        """The rows of a cell.

        Raises:
            FileNotFoundError, NotADirectoryError: there are none.
            DamagedError: its file is damaged, of another cell, or of another version.
        """
        rows: list[Row] = self._table(self.cell_path(key)).to_pylist()
        return rows

    def read(self, key: str) -> list[Row] | None:
        """The rows of a cell; None if there are none or the file is damaged."""
        try:
            return self.cell(key)
        except (FileNotFoundError, NotADirectoryError, BenchError):
            return None

    def standings(self, keys: Iterable[str]) -> dict[str, list[Row]]:
        """`status` and `reason` of all rows of those cells that have sound ones."""
        there = tables.stamps(self.root / "cells")
        known = tables.read(self.table_path) or Consolidated.nothing()
        rows: list[Row] = known.rows.select(["status", "reason"]).to_pylist()
        found: dict[str, list[Row]] = {}
        for key in keys:
            if key in there and known.covers(key, there[key]):
                extent = known.extents[key]
                found[key] = rows[extent.first : extent.first + extent.count]
            elif own := self.read(key):
                found[key] = [{name: row[name] for name in ("status", "reason")} for row in own]
        return found

    def finished(self, keys: Iterable[str]) -> set[str]:
        """Those cells that have their rows, of which none asks to be tried again."""
        standings = self.standings(keys).items()
        return {key for key, rows in standings if all(row["status"] in FINAL for row in rows)}

    def load(self) -> pd.DataFrame:
        """All rows of the last plan that are there, in the plan's order.

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
            known = tables.read(self.table_path) or Consolidated.nothing()
            covered = all(known.covers(key, stamp) for key, stamp in settled.items())
            if not covered and not tables.foreign(self.table_path):
                write_file(self.table_path, tables.content(self._rows(settled)))

    def _present(self) -> dict[str, Stamp]:
        """The cells of the last plan that are there, in its order, each with its file's version."""
        there = tables.stamps(self.root / "cells")
        return {key: there[key] for key in self._keys(there) if key in there}

    def _rows(self, cells: Mapping[str, Stamp]) -> Consolidated:
        """The rows of ``cells`` in their order: from the table what it covers, else from files.

        A file that changes meanwhile has another version than the one given: its rows, whichever
        were read, are not taken for those of that version again.
        """
        if not cells:
            raise BenchError(
                f"{self.root}: holds no results; run `bench run FILE --results {self.root.parent}`"
            )
        known = tables.read(self.table_path) or Consolidated.nothing()
        others = {key: stamp for key, stamp in cells.items() if not known.covers(key, stamp)}
        try:
            read = ((key, stamp, self._table(self.cell_path(key))) for key, stamp in others.items())
            return known.extended(read).only(list(cells))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BenchError(
                f"{error.filename}: was deleted while the results were read; try again"
            ) from None

    def _keys(self, there: Iterable[str]) -> list[str]:
        try:
            return list(json_file.read(self.plan_path, "plan")["cells"])
        except (FileNotFoundError, NotADirectoryError):
            return sorted(there)

    @staticmethod
    def _table(path: Path) -> pa.Table:
        return tables.unpacked(seal.read(path, f"cells/{path.stem}"), path)


def write_file(path: Path, content: bytes) -> None:
    """Write a file of results, all of it or nothing.

    Raises:
        BenchError: it cannot be written.
    """
    atomic_write_bytes(path, content, REMEDY)
