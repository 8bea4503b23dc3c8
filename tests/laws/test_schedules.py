"""Grids of pipelines against their formulas, and grids of equal error against their promise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from scipy.stats import beta as beta_distribution

from bench.api import BenchError, Calibration, CountedDenoiser, Draw, NoiseProcess, Problem, Time
from bench.testing import LineMixture, grid_of, ode_solver_of, process_of

S_MIN, S_MAX = 0.05, 20.0


def _shares(times: tuple[Time, ...]) -> list[float]:
    """The share of the way in u = s / (1 + s) that is left."""
    u = np.array([time.s / (1 + time.s) for time in times])
    return list((u - u[-1]) / (u[0] - u[-1]))


@pytest.mark.parametrize("steps", [1, 2, 7, 20])
@pytest.mark.parametrize("shape", [(0.6, 0.6), (0.5, 0.7), (2.0, 3.0)])
def test_beta_has_the_quantiles_of_its_distribution(
    process: NoiseProcess, shape: tuple[float, float], steps: int
) -> None:
    times = grid_of("beta", alpha=shape[0], beta=shape[1]).times(process, steps, S_MIN, S_MAX)
    t = np.array([time.t for time in times])
    shares = (t - t[-1]) / (t[0] - t[-1])
    np.testing.assert_allclose(
        beta_distribution.cdf(shares, *shape), np.linspace(1, 0, steps + 1), atol=1e-8
    )


def test_beta_of_ones_is_uniform(process: NoiseProcess) -> None:
    ours, uniform = (
        [p.t for p in grid_of(n, **g).times(process, 9, S_MIN, S_MAX)]
        for n, g in (("beta", {"alpha": 1.0, "beta": 1.0}), ("uniform_t", {}))
    )
    np.testing.assert_allclose(ours, uniform, rtol=1e-9)


def test_beta_is_the_schedule_of_diffusers_between_its_ends() -> None:
    """diffusers' Beta sigmas are quantiles in sigma, which is t under EDM."""
    scheduler: Any = FlowMatchEulerDiscreteScheduler()
    ends = torch.tensor([S_MAX, S_MIN], dtype=torch.float64)
    expected = scheduler._convert_to_beta(in_sigmas=ends, num_inference_steps=12)
    times = grid_of("beta").times(process_of("edm"), 11, S_MIN, S_MAX)
    np.testing.assert_allclose([time.s for time in times], np.asarray(expected), rtol=1e-6)


def _mochi(steps: int, threshold: float) -> list[float]:
    """The polynomial of the authors' code, of which ours is another form."""
    linear = steps // 2
    quadratic = steps - linear
    gap = linear - threshold * steps
    a = gap / (linear * quadratic**2)
    b = threshold / linear - 2 * gap / quadratic**2
    c = a * linear**2
    behind = [i * threshold / linear for i in range(linear)]
    return [1 - v for v in (*behind, *(a * i**2 + b * i + c for i in range(linear, steps)), 1.0)]


@pytest.mark.parametrize("threshold", [0.025, 0.2])
@pytest.mark.parametrize("steps", [2, 3, 8, 25])
def test_linear_quadratic_is_mochis(process: NoiseProcess, steps: int, threshold: float) -> None:
    grid = grid_of("linear_quadratic", threshold=threshold)
    found = _shares(grid.times(process, steps, S_MIN, S_MAX))
    np.testing.assert_allclose(found, _mochi(steps, threshold), atol=1e-8)


def _bong(steps: int, pivot: float, middle: float, slopes: tuple[float, float]) -> list[float]:
    """RES4LYF's two curves by indices, each stretched to its ends."""
    n = steps + 2
    first = int(n * pivot)

    def curve(count: int, slope: float, centre: float, start: float, end: float) -> list[float]:
        values = [0.5 + math.atan(-slope * (i - centre)) / math.pi for i in range(count)]
        low, span = values[-1], values[0] - values[-1]
        return [end + (start - end) * (v - low) / span for v in values]

    one = curve(first, slopes[0] / (n / 40), first, 1.0, middle)
    two = curve(n - first, slopes[1] / (n / 40), 0, middle, 0.0)
    return [*one[:-1], *two]


@pytest.mark.parametrize("parameters", [(0.6, 0.5, (0.2, 0.2)), (0.5, 0.3, (0.1, 0.5))])
@pytest.mark.parametrize("steps", [3, 10, 40])
def test_bong_tangent_is_that_of_res4lyf(
    process: NoiseProcess, steps: int, parameters: tuple[float, float, tuple[float, float]]
) -> None:
    pivot, middle, slopes = parameters
    names = {"pivot": pivot, "middle": middle, "slope_1": slopes[0], "slope_2": slopes[1]}
    times = grid_of("bong_tangent", **names).times(process, steps, S_MIN, S_MAX)
    np.testing.assert_allclose(_shares(times), _bong(steps, *parameters), atol=1e-8)


def _cell(process: str, steps: int, shape: tuple[int, ...] = (1,), seed: int = 0) -> Calibration:
    draw = Draw(seed, 5, 5, shape, torch.float64)
    model = CountedDenoiser(LineMixture().denoise)
    return Calibration(process_of(process), model, S_MIN, S_MAX, steps, draw)


def _calibrated(grid: str, cell: Calibration, **parameters: Any) -> tuple[Time, ...]:
    found = grid_of(grid, **parameters).calibrate(cell)
    return found.times(cell.process, cell.steps, cell.s_min, cell.s_max)


@pytest.mark.parametrize("pixels", [16, 32, 64, 128])
def test_dynamic_shift_is_that_of_diffusers(pixels: int) -> None:
    """mu of the pipelines' ``calculate_shift``, and diffusers' exponential shift of equal steps."""
    cell = _cell("rectified_flow", 12, (4, pixels, pixels))
    tokens = (pixels // 2) ** 2
    mu = 0.5 + (1.15 - 0.5) * (tokens - 256) / (4096 - 256)
    scheduler: Any = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    u = [time.s / (1 + time.s) for time in _calibrated("flow_shift_dynamic", cell)]
    unshifted = [v / (math.exp(mu) - (math.exp(mu) - 1) * v) for v in u]
    np.testing.assert_allclose(np.diff(unshifted), (unshifted[-1] - unshifted[0]) / 12, rtol=1e-7)
    np.testing.assert_allclose(scheduler.time_shift(mu, 1.0, np.array(unshifted)), u, rtol=1e-12)
    assert cell.model.evaluations.rows == 0


def test_samples_without_pixels_are_one_token() -> None:
    cells = [_cell("vp", 6, shape) for shape in ((1,), (7,), (3, 1, 1))]
    levels = [[t.s for t in _calibrated("flow_shift_dynamic", cell)] for cell in cells]
    assert levels[0] == levels[1] == levels[2]


@pytest.mark.parametrize("process_name", ["vp", "edm"])
@pytest.mark.parametrize(("p", "solver"), [(1, "ddim"), (2, "edm_heun")])
def test_equal_error_gains_on_karras_and_log_snr(p: int, solver: str, process_name: str) -> None:
    """Against the exact flow; DDIM and Heun in s are the methods that the density is for."""
    mixture, process = LineMixture(), process_of(process_name)
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    start, exact = mixture.quantile(u, S_MAX), mixture.quantile(u, S_MIN)
    for steps in (8, 20):
        cell = _cell(process_name, steps, seed=3)
        grids = [_calibrated("equal_error", cell, p=p)]
        grids += [grid_of(n).times(process, steps, S_MIN, S_MAX) for n in ("karras", "log_snr")]
        errors = []
        for times in grids:
            problem = Problem(process, mixture.denoise)
            end = ode_solver_of(solver).solve(problem, start * times[0].alpha, times)
            errors.append(float((end / times[-1].alpha - exact).square().mean().sqrt()))
        assert errors[0] < 0.85 * min(errors[1:])


def test_steps_share_the_error_equally() -> None:
    """Local errors of Euler in s, eps following the exact flow of a Gaussian: eps' is known.

    With variance c^2, y(s) = y_T ((c^2 + s^2) / (c^2 + s_T^2))^1/2 and eps = y s / (c^2 + s^2), so
    that eps is proportional to s (c^2 + s^2)^-1/2 and eps' to c^2 (c^2 + s^2)^-3/2.
    """
    c, steps = 0.6, 10

    def denoise(y: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return c * c / (c * c + s * s) * y

    draw = Draw(0, 5, 5, (2,), torch.float64)
    cell = Calibration(process_of("vp"), CountedDenoiser(denoise), S_MIN, S_MAX, steps, draw)
    times = _calibrated("equal_error", cell, floor=0.0, fine_steps=400)
    s = np.linspace(S_MIN, S_MAX, 400_001)
    root = (c * c + s * s) ** -0.75  # of the density |eps'|, to the power 1/2
    whole = np.concatenate([[0.0], np.cumsum(0.5 * (root[1:] + root[:-1]))])
    parts = np.diff(np.interp([time.s for time in times[::-1]], s, whole))
    np.testing.assert_allclose(parts, parts.mean(), rtol=0.02)


def test_equal_error_costs_what_it_says_and_is_the_same_under_every_process() -> None:
    cells = [_cell(name, 9) for name in ("vp", "edm", "rectified_flow")]
    levels = [[t.s for t in _calibrated("equal_error", cell, samples=70)] for cell in cells]
    assert [cell.model.evaluations.rows for cell in cells] == [81 * 70] * 3
    np.testing.assert_allclose(levels[0], levels[1], rtol=1e-6)
    np.testing.assert_allclose(levels[0], levels[2], rtol=1e-6)


def test_a_teacher_that_diverges_is_told() -> None:
    model = CountedDenoiser(lambda y, s: torch.full_like(y, math.inf))
    draw = Draw(0, 5, 5, (1,), torch.float64)
    cell = Calibration(process_of("vp"), model, S_MIN, S_MAX, 4, draw)
    with pytest.raises(BenchError, match="not finite"):
        grid_of("equal_error").calibrate(cell)


@pytest.mark.parametrize("name", ["equal_error", "flow_shift_dynamic"])
def test_grids_that_need_a_calibration_refuse_to_be_used_without(name: str) -> None:
    with pytest.raises(BenchError, match="must be calibrated first"):
        grid_of(name).times(process_of("vp"), 4, S_MIN, S_MAX)


WRONG = [
    ("beta", {"alpha": 0.0}, "alpha must"),
    ("beta", {"beta": 11.0}, "beta must"),
    ("linear_quadratic", {"threshold": 0.4}, "threshold must"),
    ("bong_tangent", {"pivot": 1.0}, "pivot must"),
    ("bong_tangent", {"middle": 0.0}, "middle must"),
    ("bong_tangent", {"slope_2": 0.0}, "slopes must"),
    ("equal_error", {"p": 4}, "p must"),
    ("equal_error", {"fine_steps": 1}, "fine_steps must"),
    ("equal_error", {"samples": 0}, "samples must"),
    ("equal_error", {"floor": 1.5}, "floor must"),
    ("flow_shift_dynamic", {"base_tokens": 5000}, "base_tokens < max_tokens"),
    ("flow_shift_dynamic", {"patch": 0}, "patch must"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), WRONG)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        grid_of(name, **parameters)
