"""Time grids against their formulas and against diffusers."""

from __future__ import annotations

import itertools
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler

from bench.api import NoiseProcess, TimeGrid
from bench.registry import Kind, build, load_registry

S_MIN, S_MAX = 0.002, 80.0


def _grid(name: str, **parameters: Any) -> TimeGrid:
    plugin = build(load_registry().get(name, Kind.GRID).cls, parameters)
    assert isinstance(plugin, TimeGrid)
    return plugin


@pytest.mark.parametrize(("s_min", "s_max"), [(S_MIN, S_MAX), (0.05, 20.0), (0.5, 0.6)])
def test_noise_falls_strictly_between_exact_ends(
    process: NoiseProcess, grid: TimeGrid, s_min: float, s_max: float
) -> None:
    for steps in range(1, 41):
        times = grid.times(process, steps, s_min, s_max)
        assert len(times) == steps + 1
        assert times[0] == process.at_s(s_max)
        assert times[-1] == process.at_s(s_min)
        assert times[0].s == pytest.approx(s_max, rel=1e-10)
        assert times[-1].s == pytest.approx(s_min, rel=1e-10)
        levels = [time.s for time in times]
        assert all(high > low for high, low in itertools.pairwise(levels))
        moments = [time.t for time in times]
        assert all(late > early for late, early in itertools.pairwise(moments))


@pytest.mark.parametrize("rho", [1.0, 3.0, 7.0])
@pytest.mark.parametrize("steps", [1, 2, 17, 40])
def test_karras_is_the_papers_formula(process: NoiseProcess, rho: float, steps: int) -> None:
    times = _grid("karras", rho=rho).times(process, steps, S_MIN, S_MAX)
    high, low = S_MAX ** (1 / rho), S_MIN ** (1 / rho)
    expected = [(high + i / steps * (low - high)) ** rho for i in range(steps + 1)]
    np.testing.assert_allclose([time.s for time in times], expected, rtol=1e-9)


@pytest.mark.parametrize("steps", [2, 9, 30])
@pytest.mark.parametrize(
    ("name", "method"),
    [("karras", "_convert_to_karras"), ("exponential", "_convert_to_exponential")],
)
def test_levels_are_those_of_diffusers(
    process: NoiseProcess, name: str, method: str, steps: int
) -> None:
    scheduler: Any = EulerDiscreteScheduler()
    ends = torch.tensor([S_MAX, S_MIN], dtype=torch.float64)
    expected = getattr(scheduler, method)(in_sigmas=ends, num_inference_steps=steps + 1)
    times = _grid(name).times(process, steps, S_MIN, S_MAX)
    np.testing.assert_allclose([time.s for time in times], np.asarray(expected), rtol=1e-7)


@pytest.mark.parametrize("name", ["log_snr", "exponential"])
def test_log_snr_is_uniform_in_lambda(process: NoiseProcess, name: str) -> None:
    times = _grid(name).times(process, 23, S_MIN, S_MAX)
    expected = np.linspace(-log(S_MAX), -log(S_MIN), 24)
    np.testing.assert_allclose([time.lam for time in times], expected, rtol=1e-9, atol=1e-9)


def test_uniform_t_has_equal_steps(process: NoiseProcess) -> None:
    times = _grid("uniform_t").times(process, 23, 0.05, 20.0)
    t = [time.t for time in times]
    np.testing.assert_allclose(np.diff(t), (t[-1] - t[0]) / 23, rtol=1e-9)


def test_quadratic_has_equal_steps_of_the_root_of_t(process: NoiseProcess) -> None:
    times = _grid("quadratic").times(process, 23, 0.05, 20.0)
    roots = [sqrt(time.t) for time in times]
    np.testing.assert_allclose(np.diff(roots), (roots[-1] - roots[0]) / 23, rtol=1e-8)
