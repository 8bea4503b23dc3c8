"""The folder of a run.

<root>/plan.json             the keys of the last plan, in order
<root>/cells/<key>.parquet   the rows of one cell: these files are the results
<root>/samples/<key>.npy     its first samples, uint8 images or float32 points
<root>/answers/<key>.npz    what these answer under a task (see `bench.run.shown`)
<root>/paths/<hash>.npz      paths of a process over p_t (see `bench.run.paths`)
<root>/references.json       papers of the plugins of all runs, by kind and name
<root>/evidence/<key>.safetensors   numbers per sample, for bench.compare (bench.results.evidence)
<root>/table.parquet         the rows of all cells, a cache (see `bench.results.table`)
<root>/set-aside/            what was damaged (see `bench.results.damage`)

Each file carries a seal, which is verified whenever it is read (see `bench.results.seal`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The places of the files of a run."""

    root: Path

    @property
    def plan_path(self) -> Path:
        """The file of the last plan's keys."""
        return self.root / "plan.json"

    @property
    def table_path(self) -> Path:
        """The file that holds the rows of all cells."""
        return self.root / "table.parquet"

    @property
    def references_path(self) -> Path:
        """The file of the plugins' papers."""
        return self.root / "references.json"

    def cell_path(self, key: str) -> Path:
        """Return the place of the rows of a cell."""
        return self.root / "cells" / f"{key}.parquet"

    def sample_path(self, key: str) -> Path:
        """Return the place of the first samples of a cell."""
        return self.root / "samples" / f"{key}.npy"

    def answer_path(self, key: str) -> Path:
        """Return the place of what the first samples of a cell answer."""
        return self.root / "answers" / f"{key}.npz"

    def evidence_path(self, key: str) -> Path:
        """Return the place of the numbers per sample of a cell."""
        return self.root / "evidence" / f"{key}.safetensors"
