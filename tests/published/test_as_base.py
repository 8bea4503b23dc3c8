"""`bench compare published:SUITE RUN`: a published table as what a run is held against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bench.compare.compare import compare
from bench.compare.inputs import ResultSet, RunFolder
from bench.compare.published import published_inputs
from bench.compare.question import CompareOptions
from bench.core.errors import BenchError
from bench.published.figures import load_figures

Rows = Callable[..., pd.DataFrame]
FIGURES = load_figures()
BY_ID = {figure.id: figure for figure in FIGURES}
FEW = BY_ID["zhou2023-cifar10/ipndm-4/10"]
BASE = f"published:{FEW.table.suite}"


def _side(frame: pd.DataFrame) -> ResultSet:
    return ResultSet("run", frame.assign(place=0), [RunFolder(Path("memory"))])


@pytest.mark.parametrize(
    ("value", "verdict", "code"), [(3.5, "worse", 1), (2.0, "better", 0), (2.78, "inconclusive", 0)]
)
def test_a_run_is_held_against_its_figure(
    rows_of: Rows, value: float, verdict: str, code: int
) -> None:
    inputs = published_inputs(BASE, _side(rows_of(FEW, [value])))
    found = compare(inputs.base, inputs.head, CompareOptions())
    (row,) = found.points.to_dict("records")
    assert (row["verdict"], int(found.exit_code)) == (verdict, code)
    assert (row["base"], row["head"]) == (FEW.value, pytest.approx(value))
    assert row["std_error"] > FEW.rounding / 2


def test_another_protocol_is_refused(rows_of: Rows) -> None:
    other = [f for f in FIGURES if f.table is FEW.table and f.id != FEW.id and f.evaluations]
    rows = pd.concat([rows_of(FEW, [2.78]), rows_of(other[0], [9.0], finish="other")])
    inputs = published_inputs(BASE, _side(rows.reset_index(drop=True)))
    assert [refusal.field for refusal in inputs.refused] == ["finish"]
    assert len(inputs.base.frame) == 1


def test_nothing_to_compare_is_told(rows_of: Rows) -> None:
    with pytest.raises(BenchError, match="finish differs in fid"):
        published_inputs(BASE, _side(rows_of(FEW, [2.78], finish="other")))
    with pytest.raises(BenchError, match="no published figures belong to the suite 'x'"):
        published_inputs("published:x", _side(rows_of(FEW, [2.78])))
