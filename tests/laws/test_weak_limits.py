"""Weak orders that single slopes do not show, since the next term of the error rules for long.

On a Gaussian the error of the variance is a h^2 + b h^3 + ..: 8 e(2 n) - e(n) is without the third
order and falls with the second, where there is one.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import log2
from typing import Any

import pytest

from bench.api import Sampler
from bench.testing import Gaussian, grid_of, process_of, propagated_moments, stepper_of

SETTINGS = [("vp", "quadratic"), ("edm", "quadratic")]


SINGLE = (("pece", True), ("predictor_order", 1))

Parameters = tuple[tuple[str, Any], ...]


@lru_cache(maxsize=12)
def _errors(name: str, parameters: Parameters, setting: tuple[str, str]) -> list[float]:
    """Of the variance of y, with 320 steps, twice as many, ..."""
    process, grid = process_of(setting[0]), grid_of(setting[1])
    sampler = Sampler(stepper_of(name, **dict(parameters)), finish=False)
    found = []
    for steps in (320, 640, 1280, 2560)[: 3 + (name == "sa_solver")]:
        times = grid.times(process, steps, 0.1, 10.0)
        _, variance = propagated_moments(process, sampler, times)
        _, exact = Gaussian().marginal(times[-1])
        found.append((variance - exact) / times[-1].alpha ** 2)
    return found


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("sa_solver", (("pece", True),)),
        ("sa_solver", SINGLE),
        ("sa_solver", ()),
        ("seeds_2", (("r", 0.3),)),
        ("seeds_2", (("r", 0.7),)),
        ("seeds_2", (("r", 1.0),)),
    ],
)
def test_the_weak_order_is_two(name: str, parameters: Parameters, setting: tuple[str, str]) -> None:
    errors = _errors(name, parameters, setting)
    second = [8 * fine - coarse for coarse, fine in pairwise(errors)]
    for coarse, fine in pairwise(second):
        assert log2(coarse / fine) == pytest.approx(2, abs=0.1)  # and of one sign


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_two_terms_of_sa_solver_have_different_signs(setting: tuple[str, str]) -> None:
    """Where they cancel, a slope of errors is any number."""
    errors = _errors("sa_solver", (("pece", True),), setting)
    assert errors[0] > 0 > errors[-1]
    assert abs(errors[-1]) < 0.1 * abs(_errors("sa_solver", SINGLE, setting)[-1])
