"""Noise processes against closed forms, moment equations and simulated paths."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import cos, exp, expm1, log, pi, sqrt, tan

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from bench.api import BenchError, NoiseProcess, Problem
from bench.registry import Kind, load_registry

Schedule = Callable[[float], tuple[float, float, float, float]]


def _ve(t: float) -> tuple[float, float, float, float]:
    sigma = 0.01 * 5000.0**t
    return 1.0, sigma, 0.0, 2 * sigma**2 * log(5000.0)


def _linear(t: float) -> tuple[float, float]:
    """beta and its integral for beta from 0.1 to 20."""
    return 0.1 + 19.9 * t, 0.1 * t + 19.9 * t * t / 2


def _vp(t: float) -> tuple[float, float, float, float]:
    beta, integral = _linear(t)
    return exp(-integral / 2), sqrt(-expm1(-integral)), -beta / 2, beta


def _subvp(t: float) -> tuple[float, float, float, float]:
    beta, integral = _linear(t)
    return exp(-integral / 2), 1 - exp(-integral), -beta / 2, beta * -expm1(-2 * integral)


def _edm(t: float) -> tuple[float, float, float, float]:
    return 1.0, t, 0.0, 2 * t


def _vp_cosine(t: float) -> tuple[float, float, float, float]:
    rate = pi / 2 / 1.008
    alpha_bar = cos(rate * (t + 0.008)) ** 2 / cos(rate * 0.008) ** 2
    beta = 2 * rate * tan(rate * (t + 0.008))  # -(ln alpha_bar)'
    return sqrt(alpha_bar), sqrt(1 - alpha_bar), -beta / 2, beta


def _rectified_flow(t: float) -> tuple[float, float, float, float]:
    return 1 - t, t, -1 / (1 - t), 2 * t / (1 - t)


def _edm_vp(t: float) -> tuple[float, float, float, float]:
    # B = low t + slope t^2 / 2 with s^2 = e^B - 1 at 0.002 and 80.
    ends = np.array([[1e-3, 0.5e-6], [1.0, 0.5]])
    low, slope = np.linalg.solve(ends, np.log1p(np.array([0.002, 80.0]) ** 2))
    beta, integral = low + slope * t, low * t + slope * t * t / 2
    return exp(-integral / 2), sqrt(-expm1(-integral)), -beta / 2, beta


CLOSED_FORMS: dict[str, Schedule] = {
    "ve": _ve,
    "vp": _vp,
    "subvp": _subvp,
    "edm": _edm,
    "edm_vp": _edm_vp,
    "vp_cosine": _vp_cosine,
    "rectified_flow": _rectified_flow,
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_alpha_sigma_drift_and_diffusion_are_those_of_the_paper(name: str) -> None:
    process = load_registry().get(name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    low, high = process.t_min + 1e-3, process.t_max
    for t in np.linspace(low, high, 101):
        time = process.at(float(t))
        assert (time.alpha, time.sigma, time.f, time.g2) == pytest.approx(
            CLOSED_FORMS[name](float(t)), rel=1e-9, abs=1e-13
        )
        assert time.s == pytest.approx(time.sigma / time.alpha, rel=1e-15)
        assert time.lam == pytest.approx(log(time.alpha / time.sigma), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("ve", 0.0, 1.0),
        ("vp", 1e-5, 1.0),
        ("subvp", 1e-5, 1.0),
        ("edm", 0.002, 80.0),
        ("edm_vp", 1e-3, 1.0),
    ],
)
def test_times_begin_and_end_where_the_papers_do(name: str, low: float, high: float) -> None:
    process = load_registry().get(name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    assert (process.t_min, process.t_max) == (low, high)


def test_vp_cosine_ends_where_dpm_solver_clips_it() -> None:
    """``clipped_lambda`` of the code of Lu et al. 2022: alpha vanishes at t = 1."""
    process = load_registry().get("vp_cosine", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    alpha, sigma, *_ = _vp_cosine(process.t_max)
    assert log(alpha / sigma) == pytest.approx(-5.1, rel=1e-9)


def test_subvp_std_has_no_root() -> None:
    process = load_registry().get("subvp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    for t in (1e-5, 0.01, 0.2, 1.0):
        integral = 0.1 * t + 9.95 * t * t
        assert process.at(t).sigma == pytest.approx(-expm1(-integral), rel=1e-12)


@pytest.mark.parametrize("name", ["vp", "subvp", "vp_cosine"])
def test_small_sigma_keeps_its_digits(name: str) -> None:
    """At t = 1e-5, 1 - exp(-B) in plain float64 would lose half of the digits."""
    process = load_registry().get(name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    t = 1e-5
    integral = {
        "vp": 0.1 * t + 9.95 * t * t,
        "subvp": 0.1 * t + 9.95 * t * t,
        # -ln(cos^2 b / cos^2 a) by Taylor's series in b - a.
        "vp_cosine": _cosine_integral(t),
    }[name]
    variance = -expm1(-integral)
    expected = variance if name == "subvp" else sqrt(variance)
    assert process.at(t).sigma == pytest.approx(expected, rel=1e-11)


def _cosine_integral(t: float) -> float:
    step, start = pi / 2 * t / 1.008, pi / 2 * 0.008 / 1.008
    slope = tan(start)
    second = 1 + slope**2
    third = 2 * slope * second
    return 2 * (slope * step + second * step**2 / 2 + third * step**3 / 6)


def _times(process: NoiseProcess, count: int) -> Tensor:
    """Interior times, finer at both ends, away from the ends by a thousandth of the range."""
    u = torch.linspace(0, 1, count, dtype=torch.float64)
    share = 0.001 + 0.998 * u * u * (3 - 2 * u)
    return process.t_min + (process.t_max - process.t_min) * share


def test_drift_and_diffusion_agree_with_finite_differences(process: NoiseProcess) -> None:
    """f = (ln alpha)' and g^2 = (sigma^2)' - 2 f sigma^2, by fourth-order differences."""
    t = _times(process, 51)
    h = 1e-5 * (process.t_max - process.t_min)

    def rate(function: Callable[[Tensor], Tensor]) -> Tensor:
        near = function(t + h) - function(t - h)
        far = function(t + 2 * h) - function(t - 2 * h)
        return (8 * near - far) / (12 * h)

    f = rate(lambda u: process.alpha(u).log())
    torch.testing.assert_close(process.f(t), f, rtol=1e-7, atol=1e-7)
    g2 = rate(lambda u: process.sigma(u).square()) - 2 * f * process.sigma(t).square()
    torch.testing.assert_close(process.g2(t), g2, rtol=1e-6, atol=1e-6)


def test_moment_equations_lead_to_the_marginals(process: NoiseProcess) -> None:
    """mean' = f mean and var' = 2 f var + g^2 of the forward SDE, integrated from t_min."""
    start = process.at(process.t_min)

    def moments(t: float, y: npt.NDArray[np.float64]) -> list[float]:
        now = process.at(float(t))
        return [now.f * y[0], 2 * now.f * y[1] + now.g2]

    checked = np.linspace(process.t_min, process.t_max, 9)[1:]
    solution = solve_ivp(
        moments,
        (process.t_min, process.t_max),
        [start.alpha, start.sigma**2],
        method="DOP853",
        t_eval=checked,
        rtol=1e-10,
        atol=1e-14,
    )
    assert solution.success
    for t, mean, variance in zip(checked, *solution.y, strict=True):
        alpha, sigma = process.at(float(t)).alpha, process.at(float(t)).sigma
        assert mean == pytest.approx(alpha, rel=1e-6, abs=1e-9)
        assert variance == pytest.approx(sigma**2, rel=1e-6)


def test_simulated_paths_have_the_marginals(process: NoiseProcess) -> None:
    """Paths of dx = f x dt + g dw from x_0 = 1.5, simulated by splitting, at s = 0.3, 2, 10."""
    paths, steps, x_0 = 10_000, 600, 1.5
    random = np.random.default_rng(20210213)
    now = process.at(process.t_min)
    x = now.alpha * x_0 + now.sigma * random.standard_normal(paths)
    for level in (0.3, 2.0, 10.0):
        end = process.at_s(level)
        edges = np.linspace(now.t, end.t, steps // 3 + 1)
        for t, t_next in itertools.pairwise(edges):
            dt = t_next - t
            # Coefficients in the middle of the step: the bias falls from first to second order.
            here = process.at(float((t + t_next) / 2))
            noise = sqrt(here.g2 * dt) * random.standard_normal(paths)
            x = (x + noise / 2) * exp(here.f * dt) + noise / 2
        now = end
        # Five standard errors of the mean and of the variance.
        assert x.mean() == pytest.approx(end.alpha * x_0, abs=5 * end.sigma / sqrt(paths))
        assert x.var() == pytest.approx(end.sigma**2, rel=5 * sqrt(2 / paths))


def test_time_at_inverts_the_noise_level(process: NoiseProcess) -> None:
    low, high = process.s_range
    levels = torch.logspace(np.log10(low), np.log10(high), 200, dtype=torch.float64)
    t = process.time_at(levels)
    torch.testing.assert_close(process.sigma(t) / process.alpha(t), levels, rtol=1e-9, atol=0)
    assert bool((t[1:] > t[:-1]).all())
    assert process.t_min == pytest.approx(float(t[0]), rel=1e-6, abs=1e-12)
    assert process.t_max == pytest.approx(float(t[-1]), rel=1e-9)
    for level in (float(levels[20]), float(levels[150])):
        assert process.at_s(level).s == pytest.approx(level, rel=1e-9)


def test_functions_are_elementwise(process: NoiseProcess) -> None:
    t = _times(process, 6)
    for function in (process.alpha, process.sigma, process.f, process.g2):
        grid = function(t.reshape(2, 3))
        assert grid.shape == (2, 3)
        single = torch.stack([function(u) for u in t])
        torch.testing.assert_close(grid.flatten(), single, rtol=1e-13, atol=0)
    levels = torch.full((2, 3), 0.7, dtype=torch.float64)
    expected = torch.full_like(levels, process.at_s(0.7).t)
    torch.testing.assert_close(process.time_at(levels), expected)


def test_schedules_do_not_depend_on_the_grad_mode(process: NoiseProcess) -> None:
    t = _times(process, 5)
    reference = process.f(t), process.g2(t)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            assert torch.equal(process.f(t), reference[0])
            assert torch.equal(process.g2(t), reference[1])


@pytest.mark.parametrize(("name", "t"), [("vp", 0.0), ("rectified_flow", 1.0), ("edm", -1.0)])
def test_times_without_noise_or_signal_are_refused(name: str, t: float) -> None:
    process = load_registry().get(name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    with pytest.raises(BenchError, match=rf"process '{name}'.*both must be positive and finite"):
        process.at(t)


def test_score_of_a_point_mass_points_at_the_mean(process: NoiseProcess) -> None:
    """p_t = N(alpha x_0, sigma^2): the score is -(x - alpha x_0) / sigma^2, minus included."""
    x_0 = torch.tensor([[0.7, -0.2]], dtype=torch.float64)
    problem = Problem(process, lambda y, s: x_0.expand_as(y))
    x = torch.tensor([[3.0, -1.0], [0.1, 0.2]], dtype=torch.float64)
    for level in (0.05, 1.0, 10.0):
        now = process.at_s(level)
        expected = -(x - now.alpha * x_0) / now.sigma**2
        torch.testing.assert_close(problem.score(x, now), expected, rtol=1e-10, atol=1e-10)


def test_problem_views_agree_with_a_gaussians_own_density(process: NoiseProcess) -> None:
    """Score by autograd of log p_t; Tweedie's 1/alpha; eps = -sigma score; the ODE's drift."""
    mean, variance = 0.4, 0.09

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        return mean + variance / (variance + s * s) * (y - mean)

    problem = Problem(process, denoise)
    for level in (0.05, 1.0, 10.0):
        now = process.at_s(level)
        x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None].requires_grad_(True)
        spread = now.alpha**2 * variance + now.sigma**2
        density = -0.5 * (x - now.alpha * mean).square() / spread  # up to a constant
        (score,) = torch.autograd.grad(density.sum(), x)
        x = x.detach()
        torch.testing.assert_close(problem.score(x, now), score, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(problem.eps(x, now), -now.sigma * score, rtol=1e-9, atol=1e-9)
        tweedie = (x + now.sigma**2 * score) / now.alpha
        torch.testing.assert_close(problem.denoise(x, now), tweedie, rtol=1e-9, atol=1e-9)
        drift = now.f * x - 0.5 * now.g2 * score
        torch.testing.assert_close(problem.velocity(x, now), drift, rtol=1e-9, atol=1e-9)


def test_probability_flow_carries_gaussians(process: NoiseProcess) -> None:
    """scipy on ``velocity``: x_0 = alpha_0 m + (x_T - alpha_T m) (v_0 / v_T)^1/2."""
    mean, variance = 0.4, 0.09
    problem = Problem(process, lambda y, s: mean + variance / (variance + s * s) * (y - mean))
    start, end = process.at_s(5.0), process.at_s(0.05)
    x_T = np.array([-3.0, 0.2, 4.0]) * start.sigma

    def drift(t: float, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return problem.velocity(torch.from_numpy(x)[:, None], process.at(float(t)))[:, 0].numpy()

    solution = solve_ivp(drift, (start.t, end.t), x_T, method="DOP853", rtol=1e-10, atol=1e-12)
    v_T = start.alpha**2 * variance + start.sigma**2
    v_0 = end.alpha**2 * variance + end.sigma**2
    expected = end.alpha * mean + (x_T - start.alpha * mean) * sqrt(v_0 / v_T)
    np.testing.assert_allclose(solution.y[:, -1], expected, rtol=1e-7)
