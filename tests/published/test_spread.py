"""How far a measured number may be off by chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.published.figures import PublishedFigure, figure_called, load_figures
from bench.published.spread import deviation
from bench.stats.spread import normal_minimum


def figure(name: str) -> PublishedFigure:
    return figure_called(load_figures(), name)


SINGLE = "zhou2023-cifar10/ipndm-4/10"  # 2.77, one run
LEAST = "karras2022-cifar10/unconditional-vp/35"  # 1.97, the minimum of three
MEAN = "song2021-table1-vp/ancestral-p/1000"  # 3.24, the mean of five


def test_the_smallest_of_some_normal_numbers() -> None:
    assert normal_minimum(1) == pytest.approx((0.0, 1.0), abs=1e-6)
    # Closed forms: -1/sqrt(pi) and -3/(2 sqrt(pi)); variances 1 - 1/pi and 1 + (sqrt(3) - 9/4)/pi.
    assert normal_minimum(2) == pytest.approx((-1 / math.sqrt(math.pi), math.sqrt(1 - 1 / math.pi)))
    wide = math.sqrt(1 + (2 * math.sqrt(3) - 9) / (4 * math.pi))
    assert normal_minimum(3) == pytest.approx((-1.5 / math.sqrt(math.pi), wide))


def test_one_run_against_one_run() -> None:
    found = deviation(figure(SINGLE), [2.80], [])
    assert found.difference == pytest.approx(0.03)
    assert found.tolerance == pytest.approx(0.005 + 3 * math.sqrt(2) * 0.0277)
    assert found.within
    assert found.how == "one run"


def test_the_tolerance_has_an_edge() -> None:
    edge = deviation(figure(SINGLE), [2.77], []).tolerance
    assert deviation(figure(SINGLE), [2.77 + edge - 1e-9], []).within
    assert not deviation(figure(SINGLE), [2.77 + edge + 1e-9], []).within
    assert not deviation(figure(SINGLE), [2.77 - edge - 1e-9], []).within


def test_a_mean_of_five_is_narrower_than_one_run() -> None:
    found = deviation(figure(MEAN), [3.24, 3.25, 3.23, 3.24, 3.24], [])
    one = 0.01 * 3.24
    assert found.tolerance == pytest.approx(0.005 + 3 * one * math.sqrt(2 / 5))
    assert found.measured == pytest.approx(3.24)


def test_a_minimum_of_three_is_held_against_the_minimum_of_as_many() -> None:
    found = deviation(figure(LEAST), [2.00, 1.98, 1.99], [])
    assert (found.measured, found.how) == (1.98, "minimum of 3")
    one = max(0.01 * 1.97, 0.01)
    assert found.tolerance == pytest.approx(0.005 + 3 * math.sqrt(2) * normal_minimum(3)[1] * one)


def test_one_run_is_lowered_to_what_a_minimum_is_expected_at() -> None:
    found = deviation(figure(LEAST), [2.00], [])
    assert found.measured == pytest.approx(2.00 + normal_minimum(3)[0] * 0.0197)
    assert found.difference == pytest.approx(found.measured - 1.97)
    assert "lowered" in found.how


def test_seeds_that_scatter_more_widen_the_tolerance() -> None:
    calm = deviation(figure(SINGLE), [2.77, 2.77], []).tolerance
    wild = deviation(figure(SINGLE), [2.57, 2.97], []).tolerance
    assert wild == pytest.approx(0.005 + 3 * np.std([2.57, 2.97], ddof=1) * math.sqrt(1 + 1 / 2))
    assert wild > calm


def test_the_metrics_own_error_counts() -> None:
    assert deviation(figure(SINGLE), [2.77], [0.5]).tolerance == pytest.approx(
        0.005 + 3 * math.hypot(0.0277, 0.5)
    )


def test_true_replications_are_called_off_as_rarely_as_promised() -> None:
    """Of 2,000 papers and honest runs of the same sampler, 0.3 % may be called off."""
    random, item = np.random.default_rng(0), figure(LEAST)
    shift = normal_minimum(3)[0] * 0.0197
    off = 0
    for _ in range(2000):
        printed = round(float(random.normal(1.97 - shift, 0.0197, 3).min()), 2)
        mine = random.normal(1.97 - shift, 0.0197, 1).tolist()
        found = deviation(item, mine, [])
        off += abs(found.measured - printed) > found.tolerance
    assert off <= 20
