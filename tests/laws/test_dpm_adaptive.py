"""Adaptive DPM-Solvers against the paper's algorithm, written down for one sample."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from bench.api import BenchError, CountedDenoiser, NoiseProcess, Problem, Time
from bench.testing import ode_solver_of, process_of
from bench_plugins.models.closed_form import Mixture

PAIRS: dict[str, tuple[tuple[str, dict[str, object]], tuple[str, dict[str, object]]]] = {
    "dpm_adaptive_12": (("ddim", {}), ("dpm_solver_2", {})),
    "dpm_adaptive_23": (("dpm_solver_2", {"r1": 1 / 3}), ("dpm_solver_3", {})),
}


def _algorithm(
    name: str, problem: Problem, x: Tensor, first: Time, last: Time, rtol: float, atol: float
) -> tuple[Tensor, int, int]:
    """(x at ``last``, steps taken, steps rejected) of one sample: Lu et al. 2022, Appendix C.

    In coordinates of x and with the fixed solvers as the pair.
    """
    low, high = (ode_solver_of(pair, **parameters) for pair, parameters in PAIRS[name])
    now, before, h, taken, rejected = first, x, 0.05, 0, 0
    way = 1 if last.lam > first.lam else -1
    while now != last:
        left = abs(last.lam - now.lam)
        h = min(h, left)
        then = last if h == left else problem.at_lam(now.lam + way * h)
        x_low: Tensor = low.step(problem, x, now, then, None)[0]
        x_high: Tensor = high.step(problem, x, now, then, None)[0]
        allowed = torch.maximum(x_low.abs(), before.abs()).mul(rtol).clamp_min(atol)
        error = float(((x_high - x_low) / allowed).square().mean().sqrt())
        if error <= 1:
            x, before, now, taken = x_high, x_low, then, taken + 1
        else:
            rejected += 1
        h = float(0.9 * h * error ** (-1 / high.order))
    return x, taken, rejected


def _start(count: int, first: Time, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    spread: Tensor = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    return spread * math.hypot(first.alpha, first.sigma)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("process_name", ["vp", "edm", "rectified_flow"])
@pytest.mark.parametrize("name", PAIRS)
def test_every_sample_runs_the_papers_algorithm_on_its_own(
    name: str, process_name: str, back: bool, plane: Mixture
) -> None:
    process = process_of(process_name)
    ends = process.at_s(20.0), process.at_s(0.02)
    first, last = ends[::-1] if back else ends
    x = _start(7, first)
    solver = ode_solver_of(name, rtol=0.01, atol=0.001)
    model = CountedDenoiser(plane.denoise)
    end = solver.solve(Problem(process, model), x, (first, last))

    problem, attempts, rejected = Problem(process, plane.denoise), [], 0
    for i in range(len(x)):
        expected, taken, refused = _algorithm(
            name, problem, x[i : i + 1], first, last, rtol=0.01, atol=0.001
        )
        torch.testing.assert_close(end[i : i + 1], expected, rtol=1e-8, atol=1e-8)
        attempts.append(taken + refused)
        rejected += refused
    assert len(set(attempts)) > 1  # samples do go different ways
    assert rejected > 0
    assert model.evaluations.rows == solver.order * sum(attempts)


@pytest.mark.parametrize("name", PAIRS)
def test_samples_that_have_arrived_are_not_evaluated(name: str, plane: Mixture) -> None:
    process, rows = process_of("vp"), []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        assert s.shape == (len(y),)
        rows.append(len(y))
        return plane.denoise(y, s)

    first, last = process.at_s(20.0), process.at_s(0.02)
    ode_solver_of(name).solve(Problem(process, denoise), _start(50, first), (first, last))
    assert rows[0] == 50
    assert rows == sorted(rows, reverse=True)
    assert rows[-1] < 10


@pytest.mark.parametrize("name", PAIRS)
def test_no_tolerance_and_a_long_first_step_is_one_step_of_the_higher_method(
    name: str, process: NoiseProcess, plane: Mixture
) -> None:
    problem, ends = Problem(process, plane.denoise), (process.at_s(3.0), process.at_s(0.5))
    higher = ode_solver_of(PAIRS[name][1][0])
    for first, last in (ends, ends[::-1]):
        x = _start(5, first)
        whole = ode_solver_of(name, rtol=1e9, h_init=100.0).solve(problem, x, (first, last))
        torch.testing.assert_close(whole, higher.solve(problem, x, (first, last)))


@pytest.mark.parametrize("name", PAIRS)
def test_the_default_absolute_tolerance_keeps_the_papers_proportion(
    name: str, plane: Mixture
) -> None:
    process = process_of("vp")
    first, last = process.at_s(20.0), process.at_s(0.02)
    problem, x = Problem(process, plane.denoise), _start(5, first)
    ends = [
        ode_solver_of(name, **parameters).solve(problem, x, (first, last))
        for parameters in ({}, {"rtol": 0.05, "atol": 0.0078, "h_init": 0.05, "theta": 0.9})
    ]
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 1e-5), (torch.float64, 2e-6)])
@pytest.mark.parametrize(("name", "rtol"), [("dpm_adaptive_12", 1e-6), ("dpm_adaptive_23", 1e-7)])
def test_tight_tolerances_are_reached(
    name: str, rtol: float, dtype: torch.dtype, most: float, plane: Mixture
) -> None:
    """In float32 too, where they are round-off itself."""
    process = process_of("vp")
    mixture = plane.to(torch.device("cpu"), dtype)
    first, last = process.at_s(2.0), process.at_s(0.5)
    x = _start(3, first).to(dtype)
    end = ode_solver_of(name, rtol=rtol).solve(Problem(process, mixture.denoise), x, (first, last))
    fine = [process.at_s(0.5 * 4 ** (1 - i / 100)) for i in range(101)]
    exact = ode_solver_of("rk4").solve(Problem(process, plane.denoise), x.double(), fine)
    assert end.dtype == dtype
    torch.testing.assert_close(end.double(), exact, rtol=0, atol=most)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", PAIRS)
def test_a_network_that_returns_nothing_finite_ends_in_an_error(name: str, value: float) -> None:
    process = process_of("vp")
    problem = Problem(process, lambda y, s: torch.full_like(y, value))
    ends = process.at_s(20.0), process.at_s(0.02)
    with pytest.raises(BenchError, match=f"'{name}': a step in lambda shrank to nothing"):
        ode_solver_of(name).solve(problem, _start(3, ends[0]), ends)
