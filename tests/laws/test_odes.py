"""General ODE methods against torchdiffeq and scipy, and what adaptive ones do with a batch."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import integrate
from torch import Tensor
from torchdiffeq import odeint

from bench.api import (
    AdaptiveOdeSolver,
    BenchError,
    CountedDenoiser,
    Denoiser,
    ExactDivergence,
    HutchinsonDivergence,
    NoiseProcess,
    NoiseStream,
    Problem,
    log_likelihood,
    rows_of,
)
from bench.core.noise import SHARD
from bench.testing import ode_solver_of, process_of
from bench_plugins.models.closed_form import Mixture
from bench_plugins.odes.embedded import GROW, EmbeddedPair
from bench_plugins.odes.tsit5 import Tsit5

Array = npt.NDArray[np.float64]


def _normal(count: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(3).standard_normal((count, 2)))


def _sampling(process: NoiseProcess, model: Denoiser, count: int) -> Problem:
    """As the host makes it for samples: with noise, though an ODE solver draws none."""
    return Problem(process, model, NoiseStream(0, "sampler", 0, count, (2,), torch.float64))


@dataclass
class Spy:
    """A denoiser that remembers what it was asked."""

    inner: Denoiser
    calls: list[Tensor] = field(default_factory=list)

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        self.calls.append(s.expand(len(y)).clone())
        return self.inner(y, s)

    @property
    def rows(self) -> int:
        return sum(len(s) for s in self.calls)


def gaussian(y: Tensor, s: Tensor) -> Tensor:
    """Of N(0, 0.5^2): zero stays at zero."""
    return 0.25 / (0.25 + rows_of(s, y) ** 2) * y


@pytest.mark.parametrize("name", ["euler", "midpoint", "heun3"])
@pytest.mark.parametrize("process_name", ["vp", "edm", "rectified_flow"])
@pytest.mark.parametrize("back", [False, True])
def test_fixed_steps_are_those_of_torchdiffeq(
    plane: Mixture, process_name: str, name: str, back: bool
) -> None:
    process = process_of(process_name)
    problem = Problem(process, plane.denoise)
    levels = np.geomspace(10.0, 0.1, 13).tolist()
    times = [process.at_s(s) for s in (levels[::-1] if back else levels)]

    def velocity(t: Tensor, x: Tensor) -> Tensor:
        return problem.velocity(x, process.at(float(t)))

    x = _normal(12) * times[0].sigma
    grid = torch.tensor([now.t for now in times], dtype=torch.float64)
    path = odeint(velocity, x, grid, method=name)
    solver, state = ode_solver_of(name), None  # one-step methods
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        x, state = solver.step(problem, x, now, then, state)
        torch.testing.assert_close(x, path[i + 1], rtol=1e-12, atol=1e-12, msg=f"step {i}")


def _flat_velocity(problem: Problem, shape: torch.Size) -> Callable[[float, Array], Array]:
    def velocity(t: float, flat: Array) -> Array:
        x = torch.from_numpy(flat).reshape(shape)
        return problem.velocity(x, problem.at(float(t))).numpy().ravel()

    return velocity


@pytest.mark.parametrize("process_name", ["vp", "edm", "subvp"])
@pytest.mark.parametrize("rtol", [1e-3, 1e-5])
def test_rk45_is_scipys_solve_ivp(plane: Mixture, process_name: str, rtol: float) -> None:
    process = process_of(process_name)
    start, end = process.at_s(10.0), process.at_s(0.1)
    for times in ((start, end), (end, start)):
        x = _normal(12) * times[0].sigma
        velocity = _flat_velocity(Problem(process, plane.denoise), x.shape)
        span = times[0].t, times[1].t
        path = integrate.solve_ivp(velocity, span, x.numpy().ravel(), rtol=rtol, atol=rtol)
        model = CountedDenoiser(plane.denoise)
        ours = ode_solver_of("rk45", rtol=rtol).solve(Problem(process, model), x, times)
        np.testing.assert_allclose(ours.numpy().ravel(), path.y[:, -1], rtol=0, atol=1e-13)
        assert model.evaluations.nfe(12) == path.nfev


def test_rk45_keeps_float32_outside_and_float64_inside() -> None:
    """The model sees float32; rounding the state itself would leave 1e-7 at every step."""
    process, seen = process_of("vp"), set()

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.add((y.dtype, s.dtype))
        return gaussian(y, s)

    times = process.at_s(10.0), process.at_s(0.1)
    end = ode_solver_of("rk45").solve(Problem(process, denoise), _normal(12).float(), times)
    assert end.dtype == torch.float32
    assert seen == {(torch.float32, torch.float32)}


# The Gaussian's flow is linear: samples at 0 stay there and have no error.
LONE = torch.tensor([[3.0, -2.0]], dtype=torch.float64)
CROWD = torch.cat([LONE, torch.zeros(63, 2, dtype=torch.float64)])


def _counted(name: str, x: Tensor) -> tuple[Tensor, float]:
    process, model = process_of("vp"), CountedDenoiser(gaussian)
    times = process.at_s(10.0), process.at_s(0.1)
    end = ode_solver_of(name, rtol=1e-5).solve(_sampling(process, model, len(x)), x, times)
    return end, model.evaluations.nfe(len(x))


@pytest.mark.parametrize("name", ["dopri5", "bosh3", "dopri8", "tsit5"])
def test_easy_samples_do_not_spoil_the_hard_one(name: str) -> None:
    """Each sample meets the tolerance by itself, whatever it is run with."""
    alone, crowd = _counted(name, LONE)[0], _counted(name, CROWD)[0]
    torch.testing.assert_close(crowd[:1], alone, rtol=1e-12, atol=1e-12)


def test_rk45s_norm_spans_the_batch() -> None:
    alone, nfe = _counted("rk45", LONE)
    crowd, less = _counted("rk45", CROWD)
    assert less < nfe
    assert float((crowd[:1] - alone).abs().max()) > 1e-7


def test_samples_with_steps_of_their_own_pay_for_themselves() -> None:
    alone, still, crowd = (_counted("tsit5", x)[1] for x in (LONE, CROWD[1:2], CROWD))
    assert crowd == (alone + 63 * still) / 64
    assert alone != still


def _order_conditions(a: Array, b: Array) -> list[float]:
    """What the seventeen conditions up to order 5 leave, in the order of the orders."""
    c = a.sum(1)
    ac, ac2 = a @ c, a @ c**2
    terms = [
        (np.ones_like(c), 1),
        (c, 2),
        (c**2, 3), (ac, 6),
        (c**3, 4), (c * ac, 8), (ac2, 12), (a @ ac, 24),
        (c**4, 5), (c**2 * ac, 10), (ac**2, 20), (c * ac2, 15), (c * (a @ ac), 30),
        (a @ c**3, 20), (a @ (c * ac), 40), (a @ ac2, 60), (a @ (a @ ac), 120),
    ]  # fmt: skip
    return [float(b @ term) - 1 / density for term, density in terms]


def _butcher(pair: EmbeddedPair) -> tuple[Array, Array, Array]:
    """Matrix, weights of the result, weights of the embedded result."""
    stages = len(pair.error)
    a = np.zeros((stages, stages))
    for i, row in enumerate(pair.a, start=1):
        a[i, : len(row)] = row
    return a, a[-1], a[-1] - np.array(pair.error)


def test_tsitourass_pair_has_orders_5_and_4() -> None:
    a, b, embedded = _butcher(Tsit5.pair)
    np.testing.assert_allclose(a.sum(1)[1:], Tsit5.pair.c, rtol=0, atol=1e-14)
    np.testing.assert_allclose(_order_conditions(a, b), 0, atol=1e-13)
    np.testing.assert_allclose(_order_conditions(a, embedded)[:8], 0, atol=1e-13)
    assert max(abs(left) for left in _order_conditions(a, embedded)[8:]) > 1e-4


class ScipysTsit5(integrate.RK45):
    """scipy's Runge-Kutta driver with Tsitouras's coefficients."""

    _a, _, _ = _butcher(Tsit5.pair)
    A = _a[:-1, :-1]
    B = _a[-1, :-1]
    C = np.array([0.0, *Tsit5.pair.c[:-1]])
    E = np.array(Tsit5.pair.error)


@pytest.mark.parametrize("process_name", ["vp", "edm", "rectified_flow"])
@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_each_samples_steps_are_those_of_scipy_for_it_alone(
    plane: Mixture, process_name: str, rtol: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start, error norm, acceptance and step sizes: the same evaluations of every sample."""
    monkeypatch.setattr(sys.modules[integrate.RK45.__module__], "MAX_FACTOR", GROW)
    process = process_of(process_name)
    start, end = process.at_s(10.0), process.at_s(0.1)
    for times in ((start, end), (end, start)):
        x, spy = _normal(10) * times[0].sigma, Spy(plane.denoise)
        ours = ode_solver_of("tsit5", rtol=rtol).solve(_sampling(process, spy, 10), x, times)
        total = 0
        for i, row in enumerate(x):
            velocity = _flat_velocity(Problem(process, plane.denoise), row[None].shape)
            path = integrate.solve_ivp(
                velocity, (times[0].t, times[1].t), row.numpy(), method=ScipysTsit5,
                rtol=rtol, atol=rtol,
            )  # fmt: skip
            total += path.nfev
            np.testing.assert_allclose(ours[i].numpy(), path.y[:, -1], rtol=0, atol=1e-9)
        assert spy.rows == total


def test_only_samples_on_their_way_go_through_the_network(plane: Mixture) -> None:
    process, spy = process_of("edm"), Spy(plane.denoise)
    times = process.at_s(10.0), process.at_s(0.1)
    solver = ode_solver_of("tsit5", rtol=1e-3)
    solver.solve(_sampling(process, spy, 40), _normal(40) * 10.0, times)
    rows = [len(s) for s in spy.calls]
    assert rows == sorted(rows, reverse=True)
    assert rows[0] == 40
    assert rows[-1] < 20


@pytest.mark.parametrize("process_name", ["vp", "edm", "vp_cosine"])
def test_steps_of_their_own_end_at_the_end(plane: Mixture, process_name: str) -> None:
    process = process_of(process_name)
    start, end = process.at_s(10.0), process.at_s(0.1)
    for times in ((start, end), (end, start)):
        spy = Spy(plane.denoise)
        x = _normal(20) * times[0].sigma
        ode_solver_of("tsit5", rtol=1e-3).solve(_sampling(process, spy, 20), x, times)
        s = torch.cat(spy.calls)
        assert float(s.min()) == pytest.approx(end.s, rel=1e-13)
        assert float(s.max()) == pytest.approx(start.s, rel=1e-13)


def test_steps_of_their_own_in_batches_of_more_than_a_shard(plane: Mixture) -> None:
    """Calls are cut as in the host, so that the network sees the same rows together."""
    process, spy = process_of("vp"), Spy(plane.denoise)
    times = process.at_s(10.0), process.at_s(0.1)
    x, solver = _normal(150), ode_solver_of("tsit5", rtol=1e-3)
    whole = solver.solve(_sampling(process, spy, 150), x, times)
    assert max(len(s) for s in spy.calls) == SHARD
    parts = [
        solver.solve(_sampling(process, plane.denoise, len(rows)), rows, times)
        for rows in x.split(SHARD)
    ]
    assert torch.equal(whole, torch.cat(parts))


def test_likelihoods_keep_probes_and_samples_together() -> None:
    """Random signs are exact for the Gaussian's diagonal Jacobian."""
    process = process_of("vp")
    times = process.at_s(10.0), process.at_s(0.1)
    y = torch.tensor([[0.0, 0.0], [0.1, -0.2], [3.0, 2.0]], dtype=torch.float64)
    probes = torch.tensor([[[1, 1], [-1, 1], [1, -1]]], dtype=torch.float64)
    found, exact = (
        log_likelihood(process, CountedDenoiser(gaussian), way, ode_solver_of("tsit5"), times, y)
        for way in (HutchinsonDivergence(probes), ExactDivergence())
    )
    torch.testing.assert_close(found, exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["tsit5", "rk45"])
def test_a_model_that_breaks_is_named_not_waited_for(name: str) -> None:
    process, calls = process_of("vp"), itertools.count()

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        return gaussian(y, s) if next(calls) < 20 else torch.full_like(y, torch.nan)

    times = process.at_s(10.0), process.at_s(0.1)
    solver = ode_solver_of(name, rtol=1e-8)
    assert isinstance(solver, AdaptiveOdeSolver)
    with pytest.raises(BenchError, match="not finite"):
        solver.solve(_sampling(process, denoise, 3), _normal(3), times)
    assert next(calls) < 1000
