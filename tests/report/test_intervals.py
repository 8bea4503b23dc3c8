"""Intervals equal those computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.stats.intervals import Interval, half_widths


def _half_widths(n: int, deviation: float, std_error: float) -> tuple[float, str]:
    width, basis = half_widths(*(np.array([float(x)]) for x in (n, deviation, std_error)))
    return float(width[0]), str(basis[0])


def test_two_seeds_have_students_t_with_one_degree_of_freedom() -> None:
    # values 1 and 3: standard deviation sqrt(2), standard error 1; t(0.975, 1) = 12.7062
    width, basis = _half_widths(2, 2.0**0.5, 0.1)
    assert width == pytest.approx(12.7062, abs=1e-4)
    assert basis == Interval.SEEDS


def test_five_seeds_have_four_degrees_of_freedom() -> None:
    # 1, 2, 3, 4, 5: standard deviation 1.581139; t(0.975, 4) = 2.776445
    width, _ = _half_widths(5, 1.581139, float("nan"))
    assert width == pytest.approx(2.776445 * 1.581139 / 5**0.5, rel=1e-6)


def test_one_seed_falls_back_on_the_standard_error_within_the_run() -> None:
    width, basis = _half_widths(1, float("nan"), 0.5)
    assert width == pytest.approx(0.98, abs=1e-3)
    assert basis == Interval.STD_ERROR


def test_without_either_there_is_none() -> None:
    width, basis = _half_widths(1, float("nan"), float("nan"))
    assert math.isnan(width)
    assert basis == Interval.NONE
