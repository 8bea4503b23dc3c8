"""The process of a table of levels against DDPM's formulas, VP and diffusers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from safetensors.numpy import save_file
from scipy.integrate import quad

from bench.api import (
    BenchError,
    CountedDenoiser,
    Draw,
    ExactDivergence,
    NoiseProcess,
    Sampler,
    generate,
    log_likelihood,
)
from bench.registry import ParameterError
from bench.testing import grid_of, model_of, ode_solver_of, process_of, stepper_of
from bench_plugins.iddpm.curve import RisingCurve

CPU = torch.device("cpu")
LINEAR = np.linspace(1e-4, 0.02, 1000)


def _table(**parameters: Any) -> NoiseProcess:
    return process_of("table", **parameters)


def _levels(process: NoiseProcess, count: int) -> torch.Tensor:
    return torch.arange(1, count + 1, dtype=torch.float64) / count


def test_levels_of_ddpms_betas_are_ddpms() -> None:
    """alpha^2 is the product of 1 - beta, exactly, at t = (k + 1) / N."""
    process = _table(betas=tuple(LINEAR))
    alpha2 = np.cumprod(1 - LINEAR)
    t = _levels(process, 1000)
    np.testing.assert_allclose(process.alpha(t).square(), alpha2, rtol=1e-12)
    np.testing.assert_allclose(process.sigma(t).square(), 1 - alpha2, rtol=1e-10)
    assert (process.t_min, process.t_max) == (1e-3, 1.0)
    assert process.s_range == pytest.approx(
        [math.sqrt(1 / a - 1) for a in (alpha2[0], alpha2[-1])], rel=1e-10
    )


def test_without_a_table_it_is_ddpms() -> None:
    ours, theirs = _table(), _table(betas=tuple(LINEAR))
    t = torch.linspace(0.001, 1, 777, dtype=torch.float64)
    torch.testing.assert_close(ours.alpha(t), theirs.alpha(t))


def test_ddpms_betas_differ_from_vp_as_sums_differ_from_integrals() -> None:
    """B_table(t) - B_vp(t) = 0.00995 k (k - N) / (N (N - 1)) + sum of beta^2 / 2 + beta^3 / 3."""
    process, vp, N = _table(), process_of("vp"), 1000
    k = np.arange(1, N + 1)
    t = torch.from_numpy(k / N)
    found = -2 * (process.alpha(t).log() - vp.alpha(t).log()).numpy()
    sums = np.cumsum(LINEAR**2 / 2 + LINEAR**3 / 3)
    wanted = 0.5 * 0.0199 * k * (k - N) / (N * (N - 1)) * 1.0 + sums
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    assert abs(found).max() > 0.05  # no small difference at the noisy end


def test_levels_of_vp_give_back_vp_between_them() -> None:
    """Its B is a parabola, which the spline has exactly: 40 levels are enough."""
    vp = process_of("vp")
    squares = vp.alpha(torch.arange(1, 41, dtype=torch.float64) / 40).square()
    process = _table(alphas_cumprod=tuple(squares.tolist()))
    t = torch.linspace(1 / 40, 1, 501, dtype=torch.float64)
    for ours, theirs in (
        (process.alpha(t), vp.alpha(t)),
        (process.sigma(t), vp.sigma(t)),
        (process.f(t), vp.f(t)),
        (process.g2(t), vp.g2(t)),
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)
    s = torch.logspace(-0.5, 1.5, 50, dtype=torch.float64)
    torch.testing.assert_close(process.time_at(s), vp.time_at(s), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"])
@pytest.mark.parametrize("steps", [50, 1000])
def test_levels_are_those_of_diffusers_schedulers(schedule: str, steps: int) -> None:
    scheduler = DDPMScheduler(num_train_timesteps=steps, beta_schedule=schedule)
    squares = scheduler.alphas_cumprod.double()
    process = _table(alphas_cumprod=tuple(squares.tolist()))
    t = _levels(process, steps)
    torch.testing.assert_close(process.alpha(t).square(), squares, rtol=1e-9, atol=0)
    betas = _table(betas=tuple(scheduler.betas.double().tolist()))
    torch.testing.assert_close(betas.alpha(t).square(), squares, rtol=2e-3, atol=1e-7)  # float32
    back = process.time_at(process.sigma(t) / process.alpha(t))
    torch.testing.assert_close(back, t, rtol=0, atol=1e-9)


def test_diffusers_ancestral_steps_are_those_of_the_process() -> None:
    """DDPM's posterior mean and variance from level 30 to level 29 of 50."""
    scheduler = DDPMScheduler(num_train_timesteps=50, clip_sample=False)
    process = _table(alphas_cumprod=tuple(scheduler.alphas_cumprod.double().tolist()))
    now, then = process.at(31 / 50), process.at(30 / 50)
    x, eps = torch.tensor([[0.3, -1.2]]), torch.tensor([[0.5, 0.1]])
    scheduler.set_timesteps(50)
    torch.manual_seed(0)
    theirs = scheduler.step(eps, 30, x).prev_sample
    torch.manual_seed(0)
    noise = torch.randn(1, 2)
    d = (x - now.sigma * eps) / now.alpha
    keep = now.alpha / then.alpha
    rate = (then.sigma / now.sigma) ** 2
    variance = (now.sigma**2 - keep**2 * then.sigma**2) * rate
    mean = keep * rate * x + then.alpha * (1 - keep**2 * rate) * d
    torch.testing.assert_close(mean + math.sqrt(variance) * noise, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["smooth", "rough", "steps", "two"])
def test_any_table_rises_everywhere_and_is_met_at_its_levels(kind: str) -> None:
    """The spline, or where it would fall the monotone cubic; g^2 > 0, and continuous."""
    rng = np.random.default_rng(0)
    betas = {
        "smooth": np.geomspace(1e-4, 0.3, 30),
        "rough": rng.uniform(1e-4, 0.5, 40),
        "steps": np.array([1e-3] * 10 + [0.5] * 3 + [1e-3] * 10),
        "two": np.array([0.1, 0.9]),
    }[kind]
    process, count = _table(betas=tuple(betas)), len(betas)
    t = torch.linspace(1 / count, 1, 20_001, dtype=torch.float64)
    s = process.sigma(t) / process.alpha(t)
    assert bool((s.diff() > 0).all())
    assert bool((process.g2(t[1:-1]) >= 0).all())
    np.testing.assert_allclose(
        process.alpha(_levels(process, count)).square(), np.cumprod(1 - betas), rtol=1e-12
    )
    knots = _levels(process, count)[:-1]
    left, right = process.g2(knots - 1e-9), process.g2(knots + 1e-9)
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(process.time_at(s), t, rtol=0, atol=1e-7)


def test_beta_integrates_to_the_table() -> None:
    """alpha(t)^2 = exp(-integral of beta) with beta = -2 f, by adaptive quadrature."""
    process = _table(betas=tuple(np.geomspace(1e-3, 0.2, 12)))
    start, end = process.at(process.t_min), process.at(1.0)
    places = [k / 12 for k in range(2, 12)]
    integral = quad(lambda t: -2 * process.at(t).f, start.t, end.t, points=places, limit=200)[0]
    assert end.alpha**2 / start.alpha**2 == pytest.approx(math.exp(-integral), rel=1e-8)


def test_a_curve_that_the_spline_would_bend_down_is_monotone() -> None:
    knots = torch.tensor([0.0, 0.01, 0.02, 5.0, 5.01, 5.02], dtype=torch.float64)
    curve = RisingCurve.through(knots)
    x = torch.linspace(0, 5, 5001, dtype=torch.float64)
    assert bool((curve(x).diff() > 0).all())
    torch.testing.assert_close(curve(torch.arange(6.0, dtype=torch.float64)), knots)
    torch.testing.assert_close(curve.inverse(curve(x)), x, rtol=0, atol=1e-6)


@pytest.mark.parametrize("solver", ["ancestral", "ddim", "dpmpp_2m", "euler_maruyama"])
def test_solvers_run_on_it(solver: str) -> None:
    """A table of VP's levels: the same samples as under VP."""
    vp = process_of("vp")
    squares = vp.alpha(torch.arange(1, 201, dtype=torch.float64) / 200).square()
    process = _table(alphas_cumprod=tuple(squares.tolist()))
    model = model_of("gaussian_mixture").load(CPU, torch.float64)
    found = []
    for each in (process, vp):
        times = grid_of("uniform_t").times(each, 20, process.s_range[0], 80.0)
        draw = Draw(0, 64, 64, (2,), torch.float64)
        sampler = Sampler(stepper_of(solver))
        batches = generate(each, CountedDenoiser(model.denoiser), sampler, times, draw)
        found.append(torch.cat([batch.x for batch in batches]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-7)


def test_whole_levels_are_those_of_the_grid_linspace() -> None:
    """50 levels, 49 steps: the grid meets each level of the table."""
    betas = tuple(np.linspace(1e-3, 0.3, 50))
    process = _table(betas=betas)
    times = grid_of("linspace", train_steps=50).times(process, 49, *process.s_range)
    alpha2 = np.cumprod(1 - np.array(betas))[::-1]
    np.testing.assert_allclose([time.alpha**2 for time in times], alpha2, rtol=1e-9)


def test_likelihood_is_that_under_vp() -> None:
    """Between the same noise levels processes differ by the solver's error alone."""
    model = model_of("gaussian_mixture").load(CPU, torch.float64)
    exact = model.target.exact
    assert exact is not None
    y, process = exact.sample(16, 0), _table()
    s_min, s_max = 0.02, 80.0
    y = y + s_min * torch.from_numpy(np.random.default_rng(0).standard_normal((16, 2)))
    found = [
        log_likelihood(
            each,
            CountedDenoiser(model.denoiser),
            ExactDivergence(),
            ode_solver_of("rk4"),
            grid_of("log_snr").times(each, 160, s_min, s_max),
            y,
        )
        for each in (process, process_of("vp"))
    ]
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-4)
    # What is left is the prior's, which ignores the mean and variance of the data.
    torch.testing.assert_close(found[0], exact.log_prob(y, s_min), rtol=0, atol=1e-2)


def test_beyond_the_table_is_refused() -> None:
    process = _table(betas=(0.1, 0.2, 0.3))
    with pytest.raises(BenchError, match="s = 100 is beyond the table"):
        process.at_s(100.0)
    assert process.at_s(process.s_range[1] * (1 + 1e-9)).t == pytest.approx(1)


WRITERS: dict[str, Callable[[Path], None]] = {
    "list.json": lambda p: p.write_text(json.dumps([0.1, 0.2, 0.3])) and None,
    "named.json": lambda p: p.write_text(json.dumps({"betas": [0.1, 0.2, 0.3], "x": 1})) and None,
    "column.csv": lambda p: p.write_text("0.1\n0.2\n\n0.3\n") and None,
    "named.csv": lambda p: p.write_text("step,betas\n0, 0.1\n1, 0.2\n2, 0.3\n") and None,
    "a.npy": lambda p: np.save(p, np.array([0.1, 0.2, 0.3])),
    "a.npz": lambda p: np.savez(p, betas=np.array([0.1, 0.2, 0.3])),
    "a.safetensors": lambda p: save_file({"betas": np.array([0.1, 0.2, 0.3])}, p),
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_hold_tables(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    unnamed = name in ("list.json", "column.csv", "a.npy")
    process = _table(file=str(path), **({"kind": "betas"} if unnamed else {}))
    np.testing.assert_allclose(
        process.alpha(_levels(process, 3)).square(), np.cumprod([0.9, 0.8, 0.7]), rtol=1e-12
    )
    assert process.fingerprint() == "4"
    if unnamed:
        with pytest.raises(BenchError, match="does not say what it holds; set kind"):
            _table(file=str(path)).fingerprint()


def test_kind_chooses_among_two_tables(tmp_path: Path) -> None:
    path = tmp_path / "both.json"
    path.write_text(json.dumps({"betas": [0.1, 0.2], "alphas_cumprod": [0.5, 0.25]}))
    assert _table(file=str(path), kind="alphas_cumprod").at(0.5).alpha ** 2 == pytest.approx(0.5)
    with pytest.raises(BenchError, match="not just one of 'betas' and 'alphas_cumprod'; set kind"):
        _table(file=str(path)).fingerprint()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "0.1", r"unknown kind of file; use \.json, \.csv, \.npy, \.npz or"),
        ("a.pt", "0.1", "unknown kind of file"),
        ("a.json", "{", "holds no table"),
        ("a.json", "3", "neither a list nor an object"),
        ("a.json", '["x"]', "'x' is no number"),
        ("a.json", "[true, 0.1]", "'True' is no number"),
        ("a.json", '{"gammas": [1]}', "holds nothing, not 'betas'"),
        ("a.json", "[0.1, NaN]", "betas must be between 0 and 1"),
        ("a.json", "[0.1, 1.5]", "betas must be between 0 and 1.*correct the file"),
        ("a.csv", "", "it is empty"),
        ("a.csv", "0.1,0.2\n0.3,0.4\n", "2 columns without names"),
        ("a.csv", "betas,x\n0.1\n", "row 1 has 1 numbers, not 2"),
        ("a.csv", "0.1\nabc\n", "could not convert string to float"),
        ("a.npy", "garbage", "is damaged or holds no plain arrays"),
    ],
)
def test_bad_files_are_refused_by_name(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(BenchError, match=message) as caught:
        _table(file=str(path), kind="betas").fingerprint()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arrays_of_other_shapes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.full((2, 2), 0.1))
    with pytest.raises(BenchError, match=r"an array of float64 \(2, 2\), not of numbers in a row"):
        _table(file=str(path), kind="betas").fingerprint()
    with pytest.raises(BenchError, match="cannot be read"):
        _table(file=str(tmp_path / "missing.json"), kind="betas").fingerprint()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"betas": (0.1,)}, "betas must be 2 to"),
        ({"betas": (0.1, 1.0)}, "betas must be between 0 and 1, without them"),
        ({"betas": (0.0, 0.1)}, "betas must be between 0 and 1"),
        ({"betas": (0.1, math.nan)}, "must be finite"),
        ({"alphas_cumprod": (0.9, 0.9)}, "alphas_cumprod must fall"),
        ({"alphas_cumprod": (0.9, 0.0)}, "leave out a level without signal"),
        ({"betas": (0.1, 0.2), "alphas_cumprod": (0.9, 0.8)}, "exclude each other"),
        ({"betas": (0.1, 0.2), "kind": "betas"}, "kind must be left out"),
    ],
)
def test_impossible_tables_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        _table(**parameters)
