"""Intervals, Holm's correction, verdicts and the number of samples that it takes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.compare.verdict import Verdict, verdicts
from bench.stats.significance import POWER, holm, p_values, samples_factor, t_half_widths


def test_intervals_and_p_values_are_those_of_scipys_t_test() -> None:
    draws = np.random.default_rng(0)
    x = draws.normal(0.3, 1, 20)
    test = stats.ttest_1samp(x, 0.0)
    error, freedom = np.array([stats.sem(x)]), np.array([19.0])
    assert p_values(np.array([x.mean()]), error, freedom)[0] == pytest.approx(test.pvalue)
    low, high = test.confidence_interval(0.9)
    assert t_half_widths(error, freedom, 0.1)[0] == pytest.approx((high - low) / 2)


def test_an_infinite_number_of_degrees_of_freedom_is_the_normal_distribution() -> None:
    width = t_half_widths(np.array([2.0]), np.array([np.inf]), 0.05)
    assert width[0] == pytest.approx(2 * stats.norm.ppf(0.975), rel=1e-6)


def test_p_values_without_an_error() -> None:
    nan = float("nan")
    found = p_values(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, nan]), np.full(3, 9.0))
    np.testing.assert_array_equal(found, [1.0, 0.0, nan])


def test_holm_is_the_textbooks_within_each_family() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005, np.nan, 0.5])
    family = np.array([0, 0, 0, 0, 0, 1])
    found = holm(p, family)
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02, np.nan, 0.5])


def _verdict(loss: float, width: float, p: float, **changes: bool) -> str:
    flags = {"identical": False, "ranked": True} | changes
    return str(
        verdicts(
            np.array([loss]),
            np.array([width]),
            np.array([p]),
            np.array([2.0]),
            np.array([flags["identical"]]),
            np.array([flags["ranked"]]),
            0.05,
        )[0]
    )


@pytest.mark.parametrize(
    ("loss", "width", "p", "expected"),
    [
        (3.0, 1.0, 0.01, Verdict.WORSE),
        (-3.0, 1.0, 0.01, Verdict.BETTER),
        (3.0, 2.0, 0.06, Verdict.INCONCLUSIVE),  # perhaps chance
        (1.9, 0.5, 0.01, Verdict.INCONCLUSIVE),  # sure, but perhaps within the tolerance
        (1.0, 0.9, 0.01, Verdict.SAME),  # sure, and within the tolerance
        (0.0, 2.1, 0.9, Verdict.INCONCLUSIVE),
        (0.0, float("nan"), float("nan"), Verdict.INCONCLUSIVE),
    ],
)
def test_verdicts(loss: float, width: float, p: float, expected: Verdict) -> None:
    assert _verdict(loss, width, p) == expected


def test_identical_bits_are_the_same_without_any_error() -> None:
    nan = float("nan")
    assert _verdict(0.0, nan, nan, identical=True) == Verdict.SAME


def test_a_diagnostic_changes_and_gets_neither_better_nor_worse() -> None:
    assert _verdict(-3.0, 1.0, 0.01, ranked=False) == Verdict.CHANGED


def test_as_many_samples_as_advised_find_the_difference_with_the_promised_power() -> None:
    n, tests, tolerance = 100, 7.0, 0.05
    factor = samples_factor(
        np.array([1 / n**0.5]), np.array([tolerance]), np.array([0.0]), np.array([tests]), 0.05
    )
    needed = round(n * float(factor[0]))
    draws = np.random.default_rng(1)
    means = tolerance + draws.standard_normal(4000) / needed**0.5
    p = p_values(means, np.full(4000, 1 / needed**0.5), np.full(4000, np.inf))
    assert float((p < 0.05 / tests).mean()) == pytest.approx(POWER, abs=0.02)
