"""Time grids against their formulas and against diffusers."""

from __future__ import annotations

import itertools
from math import atan, log, sqrt
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.schedulers import AysSchedules

from bench.api import NoiseProcess, TimeGrid, UnsupportedError
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
    start, end = process.at_s(s_max), process.at_s(s_min)
    assert start.s == pytest.approx(s_max, rel=1e-10)
    assert end.s == pytest.approx(s_min, rel=1e-10)
    for steps in range(1, 41):
        times = grid.times(process, steps, s_min, s_max)
        assert len(times) == steps + 1
        assert times[0] == start or not grid.spans
        assert times[-1] == end or not grid.spans
        assert end.t <= times[-1].t < times[0].t <= start.t
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


def test_cosine_has_equal_steps_of_the_angle(process: NoiseProcess) -> None:
    times = _grid("cosine").times(process, 23, S_MIN, S_MAX)
    angles = [atan(time.s) for time in times]
    np.testing.assert_allclose(np.diff(angles), (angles[-1] - angles[0]) / 23, rtol=1e-7)


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_flow_shift_is_diffusers_shift_of_equal_steps(process: NoiseProcess, shift: float) -> None:
    times = _grid("flow_shift", shift=shift).times(process, 17, 0.05, 20.0)
    # diffusers shifts the sigmas that it is given: ours, from those that it shifts to the ends.
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    first, last = 20.0 / (shift + 20.0), 0.05 / (shift + 0.05)
    scheduler.set_timesteps(sigmas=np.linspace(first, last, 18).tolist())
    expected = scheduler.sigmas[:-1].double().numpy()
    np.testing.assert_allclose([time.s / (1 + time.s) for time in times], expected, rtol=1e-6)


def test_without_a_shift_flow_shift_is_uniform_in_rectified_flows_time() -> None:
    process = load_registry().get("rectified_flow", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    ours, uniform = (_grid(n).times(process, 9, 0.05, 20.0) for n in ("flow_shift", "uniform_t"))
    np.testing.assert_allclose([p.t for p in ours], [p.t for p in uniform], rtol=1e-12)


@pytest.mark.parametrize("points", [2, 7, 10, 30, 333, 1000])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_discrete_spacings_are_those_of_diffusers(spacing: str, points: int) -> None:
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    scheduler = DDIMScheduler(timestep_spacing=spacing, steps_offset=0)
    scheduler.set_timesteps(points)
    times = _grid(spacing).times(process, points - 1, 0.05, 20.0)
    start, end = process.at_s(20.0).t, process.at_s(0.05).t
    found = [999 * (time.t - end) / (start - end) for time in times]
    np.testing.assert_allclose(found, scheduler.timesteps.numpy(), rtol=0, atol=1e-6)


def test_leading_leaves_out_the_start_and_trailing_the_end() -> None:
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    linspace, leading, trailing = (
        _grid(name).times(process, 9, 0.05, 20.0) for name in ("linspace", "leading", "trailing")
    )
    start, end = process.at_s(20.0), process.at_s(0.05)
    assert (linspace[0], linspace[-1]) == (start, end)
    assert leading[0].s < start.s
    assert leading[-1] == end
    assert trailing[0] == start
    assert trailing[-1].s > end.s


@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_more_points_than_levels_are_refused(spacing: str) -> None:
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    grid = _grid(spacing, train_steps=10)
    assert len({time.t for time in grid.times(process, 9, 0.05, 20.0)}) == 10
    with pytest.raises(UnsupportedError, match="10 steps need 11 different levels"):
        grid.times(process, 10, 0.05, 20.0)


AYS = [
    ("sd15", "StableDiffusionSigmas", "StableDiffusionTimesteps", 14.615, 0.029),
    ("sdxl", "StableDiffusionXLSigmas", "StableDiffusionXLTimesteps", 14.615, 0.029),
    ("svd", "StableDiffusionVideoSigmas", None, 700.0, 0.002),
]


@pytest.mark.parametrize(("table", "sigmas", "timesteps", "s_max", "s_min"), AYS)
def test_ays_has_the_published_levels(
    table: str, sigmas: str, timesteps: str | None, s_max: float, s_min: float
) -> None:
    process = load_registry().get("edm", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    levels = [time.s for time in _grid("ays", table=table).times(process, 10, s_min, s_max)]
    np.testing.assert_allclose(levels[:-1], AysSchedules[sigmas][:-1], rtol=1e-12)
    if timesteps:  # the same, rounded to Stable Diffusion's timesteps; the last is 0
        scheduler: Any = EulerDiscreteScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012
        )
        cumulated = scheduler.alphas_cumprod.double().numpy()[[*AysSchedules[timesteps], 0]]
        np.testing.assert_allclose(levels, np.sqrt(1 / cumulated - 1), rtol=0.02)


@pytest.mark.parametrize("table", ["sd15", "sdxl", "svd"])
def test_ays_interpolates_the_logarithm_and_stretches_it(process: NoiseProcess, table: str) -> None:
    grid = _grid("ays", table=table)
    ten = [time.lam for time in grid.times(process, 10, S_MIN, S_MAX)]
    twenty = [time.lam for time in grid.times(process, 20, S_MIN, S_MAX)]
    np.testing.assert_allclose(twenty[::2], ten, atol=1e-9)
    np.testing.assert_allclose(twenty[1::2], np.convolve(ten, [0.5, 0.5], "valid"), atol=1e-9)
    other = [time.lam for time in grid.times(process, 10, 0.05, 20.0)]
    shares = [[(lam - x[0]) / (x[-1] - x[0]) for lam in x] for x in (ten, other)]
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-9)
