"""Intervals equal those computed by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.stats.intervals import Interval, half_widths


def test_two_seeds_have_students_t_with_one_degree_of_freedom() -> None:
    # values 1 and 3: standard deviation sqrt(2), standard error 1; t(0.975, 1) = 12.7062
    widths = half_widths(pd.Series([2]), pd.Series([2.0**0.5]), pd.Series([0.1]))
    assert widths["half_width"].iloc[0] == pytest.approx(12.7062, abs=1e-4)
    assert widths["interval"].iloc[0] == Interval.SEEDS


def test_five_seeds_have_four_degrees_of_freedom() -> None:
    # 1, 2, 3, 4, 5: standard deviation 1.581139; t(0.975, 4) = 2.776445
    widths = half_widths(pd.Series([5]), pd.Series([1.581139]), pd.Series([float("nan")]))
    assert widths["half_width"].iloc[0] == pytest.approx(2.776445 * 1.581139 / 5**0.5, rel=1e-6)


def test_one_seed_falls_back_on_the_standard_error_within_the_run() -> None:
    widths = half_widths(pd.Series([1]), pd.Series([float("nan")]), pd.Series([0.5]))
    assert widths["half_width"].iloc[0] == pytest.approx(0.98, abs=1e-3)
    assert widths["interval"].iloc[0] == Interval.STD_ERROR


def test_without_either_there_is_none() -> None:
    widths = half_widths(pd.Series([1]), pd.Series([float("nan")]), pd.Series([float("nan")]))
    assert pd.isna(widths["half_width"].iloc[0])
    assert widths["interval"].iloc[0] == Interval.NONE
