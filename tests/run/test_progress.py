"""The line of a finished cell adds up to what its budget pays for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.progress import cell_line

SUITE = (
    "suites: {a: {models: [class_mixture], solvers: [ddim], nfe: [12], samples: 64, "
    "guidance: [GUIDANCE], metrics: [class_accuracy]}}"
)


@pytest.mark.parametrize(
    ("guidance", "nfe", "vjp"),
    [("null", 12, 0), ("{name: cfg, scale: 2.0}", 12, 0), ("{name: classifier, scale: 2.0}", 6, 6)],
)
def test_vjps_are_shown_beside_nfe(
    cells_of: Callable[[str], tuple[Cell, ...]], guidance: str, nfe: int, vjp: int
) -> None:
    (cell,) = cells_of(SUITE.replace("GUIDANCE", guidance))
    result = run_cell(cell, Machine("cpu", 1, 1), with_paths=False)
    shown = re.search(r"  (\d+) NFE(?: \+ (\d+) VJP)? \d+\.\d\d s", cell_line(cell, result).plain)
    assert shown is not None
    assert (int(shown[1]), int(shown[2] or 0)) == (nfe, vjp)
    assert ("VJP" in shown[0]) == bool(vjp)
