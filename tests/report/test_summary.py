"""The summary for the terminal."""

from __future__ import annotations

import pandas as pd

from bench.report import summary_lines


def test_best_values_and_counts(results: pd.DataFrame) -> None:
    lines = summary_lines(results)
    assert len(lines) == 1 + 11 + 1
    assert lines[-1] == "240 cells: 235 ok, 2 timeout, 2 diverged, 1 failed"
    best = next(line for line in lines if "fd_mnist" in line)
    assert "mnist_unet" in best
    assert max(map(len, lines)) < 150


def test_many_numbers_are_cut_short(results: pd.DataFrame) -> None:
    many = pd.concat([results.assign(suite=str(i)) for i in range(5)])
    lines = summary_lines(many)
    assert len(lines) == 23
    assert lines[-2] == "... and 35 more: see the report"


def test_no_value_is_said(results: pd.DataFrame) -> None:
    lines = summary_lines(results.assign(value=None, status="failed"))
    assert lines == ["No cell has a usable value.", "240 cells: 240 failed"]


def test_no_rows_are_said(results: pd.DataFrame) -> None:
    assert summary_lines(results.iloc[:0])[-1] == "0 cells"
