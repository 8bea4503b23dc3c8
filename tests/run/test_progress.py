"""The line of a finished cell adds up to what its budget pays for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.progress import TimeLeft, cell_line

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


MODELS = (
    "suites: {a: {models: [gaussian_mixture, rings], solvers: [ddim], nfe: [10, 30], "
    "samples: 64, metrics: [swd]}}"
)


def test_time_left_follows_from_the_seconds_of_each_model(
    cells_of: Callable[[str], tuple[Cell, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds per planned evaluation of the own model, of the slowest where it has none yet."""
    now = [100.0]
    monkeypatch.setattr("bench.run.progress.time.monotonic", lambda: now[0])
    ten, thirty, *others = cells_of(MODELS)
    left = TimeLeft((ten, thirty, *others))
    assert left.seconds() is None
    left.start(ten)
    now[0] += 2.0
    left.finish(ten)  # 0.2 s an evaluation of each sample: 30 are left of this model, 40 of another
    assert left.seconds() == pytest.approx(0.2 * (30 + 40))
    left.start(thirty)
    now[0] += 1.0
    assert left.seconds() == pytest.approx(0.2 * (30 + 40) - 1.0)
    now[0] += 5.0
    left.finish(thirty)
    left.start(others[0])
    now[0] += 5.0
    left.finish(others[0])  # 0.5 s an evaluation
    assert left.seconds() == pytest.approx(0.5 * 30)
