"""The measured order equals the slope that the errors were made with."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bench.report.data.orders import fit, floor, orders
from bench.stats.orders import falling, least_squares


def curve(nfe: list[int], errors: list[float], name: str = "heun") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "curve": name,
            "nfe": [n + 1.0 for n in nfe],
            "evaluations": [float(n) for n in nfe],
            "value": errors,
            "dtype": "float64",
        }
    )


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_an_exact_power_law_gives_its_order(order: int) -> None:
    found = fit("heun", curve([5, 10, 20, 40], [7.0 * n**-order for n in (5, 10, 20, 40)]), 0.0)
    assert found is not None
    assert found.slope == pytest.approx(order)
    assert found.std_error == pytest.approx(0.0, abs=1e-12)
    assert (found.points, found.first, found.last) == (4, 6.0, 41.0)


def test_slope_and_standard_error_equal_the_textbooks() -> None:
    # x = 0, 1, 2 and y = 0, 1, 1: slope 1/2; residuals -1/6, 1/3, -1/6; error sqrt(1/6 / 2)
    slope, error = least_squares(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]))
    assert slope == pytest.approx(0.5)
    assert error == pytest.approx(math.sqrt(1 / 12))


def test_two_points_have_no_standard_error() -> None:
    found = fit("heun", curve([5, 10], [1.0, 0.25]), 0.0)
    assert found is not None
    assert math.isnan(found.std_error)
    assert found.text == "2.00"


def test_one_point_has_no_order() -> None:
    assert fit("heun", curve([5], [1.0]), 0.0) is None


def test_points_near_the_reference_are_left_out() -> None:
    nfe = [4, 8, 16, 32, 64]
    errors = [math.hypot(n**-3.0, 1e-4) for n in nfe]
    found = fit("heun", curve(nfe, errors), 1e-4)
    assert found is not None
    assert found.points == 2
    assert found.slope == pytest.approx(3.0, abs=0.2)


def test_only_the_falling_part_counts() -> None:
    errors = np.array([1.0, 2.0, 1.0, 0.5, 0.25, 0.249])
    assert list(falling(errors, 0.0)) == [False, True, True, True, True, False]


def test_the_measured_reference_sets_the_floor() -> None:
    assert floor(curve([5, 10], [1.0, 0.5]), reference=1e-4) == 1e-4


def test_a_plateau_stands_in_for_a_reference_that_was_not_measured() -> None:
    both = pd.concat(
        [curve([5, 10, 20], [1e-2, 1e-5, 1e-5]), curve([5, 10, 20], [1.0, 0.5, 0.25], "ddim")]
    )
    assert floor(both, None) == 1e-5


def test_single_precision_has_a_floor_of_its_own() -> None:
    points = curve([5, 10], [1.0, 0.5]).assign(dtype="float32")
    assert floor(points, None) == pytest.approx(1e-6)


def test_every_curve_has_an_order() -> None:
    both = pd.concat(
        [curve([5, 10, 20], [4.0, 2.0, 1.0]), curve([5, 10, 20], [16.0, 4.0, 1.0], "ddim")]
    )
    assert {o.curve: round(o.slope, 6) for o in orders(both, 0.0)} == {"ddim": 2.0, "heun": 1.0}
