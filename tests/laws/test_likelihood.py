"""Log-likelihoods through the ODE solvers against exact densities.

The prior N(0, s_T^2) is not quite the marginal at s_T. What a perfect integration returns is known
nevertheless: log p_0(y_0) - log p_T(y_T) + log N(y_T; 0, s_T^2), where y_T is the exact flow's
image of y_0. Orders are measured against that figure.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import (
    AdaptiveOdeSolver,
    BenchError,
    CountedDenoiser,
    ExactDivergence,
    HutchinsonDivergence,
    NoiseProcess,
    NoiseStream,
    OdeSolver,
    Predictor,
    Problem,
    TimeGrid,
    UnsupportedError,
    log_likelihood,
)
from bench.core.likelihood import Divergence
from bench.registry import Kind, build, load_registry
from bench_plugins.models.closed_form import Mixture

S_MIN, S_MAX = 0.05, 20.0
MEAN, STD = 0.7, 0.5


def gaussian(y: Tensor, s: Tensor) -> Tensor:
    """E[x_0 | y] for x_0 ~ N(MEAN, STD^2 I)."""
    s = s.reshape(-1, *(1,) * (y.ndim - 1))
    return MEAN + STD**2 / (STD**2 + s * s) * (y - MEAN)


def _plugin(kind: Kind, name: str, **parameters: object) -> Any:
    return build(load_registry().get(name, kind).cls, parameters)


def _nll(
    solver: OdeSolver[Any],
    process_name: str,
    steps: int,
    denoiser: Any,
    y: Tensor,
    divergence: Divergence | None = None,
    grid: str = "karras",
    ends: tuple[float, float] = (S_MIN, S_MAX),
) -> Tensor:
    process: NoiseProcess = _plugin(Kind.PROCESS, process_name)
    times = _plugin(Kind.GRID, grid).times(process, steps, *ends)
    model = CountedDenoiser(denoiser)
    return -log_likelihood(process, model, divergence or ExactDivergence(), solver, times, y)


def _log_normal(y: Tensor, mean: float, std: float) -> Tensor:
    """Log density of N(mean, std^2 I), shape (n,)."""
    d = y[0].numel()
    square = ((y - mean) / std).square().flatten(1).sum(1)
    return -0.5 * square - d * math.log(std * math.sqrt(2 * math.pi))


def _gaussian_reference(y: Tensor, ends: tuple[float, float]) -> Tensor:
    """The NLL of a perfect integration on the Gaussian, whose flow is linear."""
    start, end = math.hypot(STD, ends[0]), math.hypot(STD, ends[1])
    y_T = MEAN + (y - MEAN) * (end / start)
    return _log_normal(y_T, MEAN, end) - _log_normal(y, MEAN, start) - _log_normal(y_T, 0, ends[1])


def _line_density(line: Mixture, y: Tensor, s: float) -> Tensor:
    """Density of the mixture on the line from the textbook formula, shape (n,)."""
    std = (line.values[:, 0] + s * s).sqrt()
    z = (y - line.means[:, 0]) / std
    parts = line.log_weights.exp() * torch.exp(-0.5 * z * z) / (std * math.sqrt(2 * math.pi))
    return parts.sum(1)


def _line_reference(line: Mixture, y: Tensor, ends: tuple[float, float] = (S_MIN, S_MAX)) -> Tensor:
    """The NLL of a perfect integration on the line: y_T = F_T^-1(F_0(y_0))."""

    def cdf(x: Tensor, s: float) -> Tensor:
        std = (line.values[:, 0] + s * s).sqrt()
        z = (x - line.means[:, 0]) / std
        return (line.log_weights.exp() * torch.special.ndtr(z)).sum(1, keepdim=True)

    s_0, s_T = ends
    target, low, high = cdf(y, s_0), torch.full_like(y, -200.0), torch.full_like(y, 200.0)
    for _ in range(70):
        middle = (low + high) / 2
        below = cdf(middle, s_T) < target
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    prior = _log_normal(low, 0, s_T)
    return _line_density(line, low, s_T).log() - _line_density(line, y, s_0).log() - prior


@pytest.fixture(scope="module")
def points() -> Tensor:
    return torch.linspace(-1.6, 2.4, 41, dtype=torch.float64)[:, None]


# Steps and range of s that are enough. Order 1 is slow: its range is shorter.
ENOUGH = {1: (5000, (0.2, 5.0)), 4: (80, (S_MIN, S_MAX))}


# Methods whose leading error is larger than others' of their order.
MORE = {"cab": 400, "srds": 8000}


def _enough(solver: OdeSolver[Any]) -> tuple[int, tuple[float, float]]:
    steps, ends = ENOUGH.get(solver.order, (300, (S_MIN, S_MAX)))
    return MORE.get(solver.name, steps), ends


def test_nll_of_a_mixture_within_a_thousandth_of_a_nat(
    every_fixed_solver: OdeSolver[Any], line: Mixture, points: Tensor
) -> None:
    steps, ends = _enough(every_fixed_solver)
    nll = _nll(every_fixed_solver, "vp", steps, line.denoise, points, grid="log_snr", ends=ends)
    exact = _line_reference(line, points, ends)
    assert float((nll - exact).abs().max()) < 1e-3


def test_nll_of_a_gaussian_within_a_thousandth_of_a_nat_per_dimension(
    fixed_solver: OdeSolver[Any],
) -> None:
    y = MEAN + torch.from_numpy(np.random.default_rng(1).standard_normal((16, 2, 2))) * STD
    steps, ends = _enough(fixed_solver)
    nll = _nll(fixed_solver, "vp", steps, gaussian, y, grid="log_snr", ends=ends)
    assert float((nll - _gaussian_reference(y, ends)).abs().max()) / 4 < 1e-3


def test_nll_is_the_density_itself_where_the_prior_is_wide(line: Mixture, points: Tensor) -> None:
    """At s_T = 1000 the prior's mismatch is below 1e-4 nats."""
    rk4 = _plugin(Kind.ODE_SOLVER, "rk4")
    nll = _nll(rk4, "edm", 150, line.denoise, points, ends=(S_MIN, 1000.0))
    exact = -_line_density(line, points, S_MIN).log()
    torch.testing.assert_close(nll, exact, rtol=0, atol=1e-3)


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_adaptive_solvers_give_the_nll(
    adaptive_solver: AdaptiveOdeSolver, process_name: str, line: Mixture, points: Tensor
) -> None:
    solver = build(type(adaptive_solver), {adaptive_solver.ladder: 1e-6})
    nll = _nll(solver, process_name, 1, line.denoise, points)
    torch.testing.assert_close(nll, _line_reference(line, points), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
def test_nll_converges_at_the_solvers_order(
    fixed_solver: OdeSolver[Any],
    process_name: str,
    grid_name: str,
    line: Mixture,
    points: Tensor,
) -> None:
    counts = {1: [160, 320, 640], 4: [80, 120, 160]}.get(fixed_solver.order, [80, 160, 320])
    exact = _line_reference(line, points)
    errors = []
    for steps in counts:
        nll = _nll(fixed_solver, process_name, steps, line.denoise, points, grid=grid_name)
        errors.append(float((nll - exact).abs().median()))
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert min(errors) > 1e-12
    # Against the direction of sampling a low order at the start comes through.
    assert slope > min(fixed_solver.order, 2) - 0.15


def test_a_point_keeps_its_probes_when_others_arrive_before_it(
    adaptive_solver: AdaptiveOdeSolver, plane: Mixture
) -> None:
    """Methods with steps of their own go on with fewer and fewer points of the batch."""
    if adaptive_solver.batch_coupled:
        pytest.skip("goes on with all points to the end")
    y = torch.from_numpy(np.random.default_rng(1).standard_normal((9, 2)))
    probes = NoiseStream(3, "probe", 0, 9, (2,), torch.float64).normal()[None]
    together = _nll(adaptive_solver, "vp", 1, plane.denoise, y, HutchinsonDivergence(probes))
    for i in (0, 4, 8):
        own = HutchinsonDivergence(probes[:, i : i + 1])
        alone = _nll(adaptive_solver, "vp", 1, plane.denoise, y[i : i + 1], own)
        torch.testing.assert_close(alone, together[i : i + 1], rtol=1e-9, atol=1e-9)


def test_the_divergence_is_added() -> None:
    """A minus before the integral, or a lost one, would be nats away on this Gaussian."""
    y = torch.tensor([[MEAN + 0.2]], dtype=torch.float64)
    exact = -_log_normal(y, MEAN, math.hypot(STD, S_MIN)).item()
    rk4 = _plugin(Kind.ODE_SOLVER, "rk4")
    nll = _nll(rk4, "edm", 200, gaussian, y, ends=(S_MIN, 2000.0)).item()
    assert nll == pytest.approx(exact, abs=2e-3)
    # The divergence's integral is ln(std_T / std_0): this far apart are the wrong answers.
    integral = math.log(math.hypot(STD, 2000.0) / math.hypot(STD, S_MIN))
    assert integral > 8


@pytest.mark.parametrize("name", ["ddim", "dpmpp_2m", "edm_heun"])
def test_solvers_in_s_give_one_nll_under_every_process(
    process: NoiseProcess, name: str, line: Mixture, points: Tensor
) -> None:
    solver = _plugin(Kind.ODE_SOLVER, name)
    reference = _nll(solver, "edm", 12, line.denoise, points)
    nll = _nll(solver, process.name, 12, line.denoise, points)
    torch.testing.assert_close(nll, reference, rtol=1e-8, atol=1e-8)


def test_images_and_vectors_have_the_same_nll() -> None:
    y = torch.from_numpy(np.random.default_rng(1).standard_normal((5, 12)))
    heun = _plugin(Kind.ODE_SOLVER, "edm_heun")
    flat = _nll(heun, "vp", 10, gaussian, y)
    image = _nll(heun, "vp", 10, gaussian, y.reshape(5, 3, 2, 2))
    torch.testing.assert_close(image, flat)


def test_exact_divergence_is_the_trace_of_the_jacobian(plane: Mixture) -> None:
    y = torch.from_numpy(np.random.default_rng(1).standard_normal((9, 2)))
    s = torch.tensor(0.6, dtype=torch.float64)
    d, trace = ExactDivergence().evaluate(CountedDenoiser(plane.denoise), y, s)
    torch.testing.assert_close(d, plane.denoise(y, s))
    h = 1e-5
    step = torch.eye(2, dtype=torch.float64) * h
    expected = sum(
        (plane.denoise(y + step[i], s) - plane.denoise(y - step[i], s))[:, i] / (2 * h)
        for i in range(2)
    )
    torch.testing.assert_close(trace, expected, rtol=1e-7, atol=1e-7)
    assert not d.requires_grad
    assert not trace.requires_grad


def test_one_rademacher_probe_is_exact_for_diagonal_jacobians() -> None:
    y = torch.from_numpy(np.random.default_rng(1).standard_normal((6, 3, 4, 4)))
    probes = NoiseStream(3, "probe", 0, 6, (3, 4, 4), torch.float64).rademacher()[None]
    heun = _plugin(Kind.ODE_SOLVER, "edm_heun")
    estimated = _nll(heun, "vp", 10, gaussian, y, HutchinsonDivergence(probes))
    torch.testing.assert_close(estimated, _nll(heun, "vp", 10, gaussian, y))


def test_hutchinson_is_unbiased(plane: Mixture) -> None:
    y = torch.from_numpy(np.random.default_rng(1).standard_normal((4, 2)))
    s = torch.tensor(0.6, dtype=torch.float64)
    model, count = CountedDenoiser(plane.denoise), 1500
    stream = NoiseStream(3, "probe", 0, 4, (2,), torch.float64)
    for draw in (stream.rademacher, stream.normal):
        single = [HutchinsonDivergence(draw()[None]) for _ in range(count)]
        traces = torch.stack([d.evaluate(model, y, s)[1] for d in single])
        exact = ExactDivergence().evaluate(model, y, s)[1]
        error = (traces.mean(0) - exact).abs()
        spread = traces.std(0) / math.sqrt(count)
        assert float(spread.min()) > 1e-5  # the Jacobian is not diagonal: an average is needed
        assert bool((error < 4.5 * spread).all())
    many = HutchinsonDivergence(torch.stack([d.probes[0] for d in single]))
    torch.testing.assert_close(many.evaluate(model, y, s)[1], traces.mean(0))


def test_likelihood_counts_forwards_and_vector_jacobian_products(
    fixed_solver: OdeSolver[Any],
) -> None:
    process: NoiseProcess = _plugin(Kind.PROCESS, "vp")
    grid: TimeGrid = _plugin(Kind.GRID, "karras")
    y = torch.from_numpy(np.random.default_rng(1).standard_normal((5, 3)))
    probes = torch.ones(2, 5, 3, dtype=torch.float64)
    for steps in (1, 4):
        times = grid.times(process, steps, S_MIN, S_MAX)
        for divergence, per_forward in ((ExactDivergence(), 3), (HutchinsonDivergence(probes), 2)):
            model = CountedDenoiser(gaussian)
            log_likelihood(process, model, divergence, fixed_solver, times, y)
            assert model.evaluations.nfe(5) == fixed_solver.cost(steps)
            assert model.evaluations.vjps(5) == per_forward * fixed_solver.cost(steps)


def test_likelihood_works_where_gradients_are_off(points: Tensor, line: Mixture) -> None:
    heun = _plugin(Kind.ODE_SOLVER, "edm_heun")
    expected = _nll(heun, "vp", 5, line.denoise, points)
    with torch.no_grad():
        nll = _nll(heun, "vp", 5, line.denoise, points)
    assert torch.equal(nll, expected)
    assert not nll.requires_grad


def test_a_stochastic_step_has_no_likelihood(predictor: Predictor[Any]) -> None:
    process: NoiseProcess = _plugin(Kind.PROCESS, "vp")
    x = torch.zeros(2, 3)
    with pytest.raises(UnsupportedError, match="draws noise") as caught:
        predictor.solve(Problem(process, gaussian), x, (process.at_s(2.0), process.at_s(0.05)))
    assert isinstance(caught.value, BenchError)
