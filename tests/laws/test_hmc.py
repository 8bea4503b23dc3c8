"""Hamiltonian Monte Carlo: the leapfrog map, and the law that its chain settles to."""

from __future__ import annotations

from math import sqrt
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import Corrector, CountedDenoiser, NoiseProcess, NoiseStream, Problem, Time
from bench.registry import Kind, ParameterError, build, load_registry
from bench.testing import LineMixture, convergence_slope, process_of
from bench_plugins.models.closed_form import Mixture
from bench_plugins.score_sde.hmc import HMC

MEAN, VARIANCE = 0.7, 0.3


def gaussian(y: Tensor, s: Tensor) -> Tensor:
    """E[x_0 | y] for x_0 ~ N(MEAN, VARIANCE I)."""
    return MEAN + VARIANCE / (VARIANCE + s * s) * (y - MEAN)


def gaussian_log_prob(y: Tensor, s: float) -> Tensor:
    return -0.5 * (y - MEAN).square().sum(1) / (VARIANCE + s * s)


class Draws:
    """Stands in for a noise stream: given momenta, and uniform draws from the same list."""

    def __init__(self, *draws: Tensor) -> None:
        self.left = list(draws)

    def normal(self) -> Tensor:
        return self.left.pop(0)

    uniform = normal


def _hmc(**parameters: object) -> HMC:
    plugin = build(load_registry().get("hmc", Kind.CORRECTOR).cls, parameters)
    assert isinstance(plugin, HMC)
    return plugin


def _random(*shape: int, seed: int = 3) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def _trajectory(
    corrector: HMC, problem: Problem, x: Tensor, z: Tensor, now: Time
) -> tuple[Tensor, Tensor]:
    end, momentum, score = corrector._trajectory(problem, x, z, problem.score(x, now), now)
    torch.testing.assert_close(score, problem.score(end, now), rtol=0, atol=0)
    return end, momentum


@pytest.mark.parametrize("leapfrog", [1, 2, 7])
def test_leapfrog_is_reversible(process: NoiseProcess, plane: Mixture, leapfrog: int) -> None:
    now, corrector = process.at_s(0.4), _hmc(step=0.8, leapfrog=leapfrog)
    problem = Problem(process, plane.denoise)
    x, z = _random(20, 2), _random(20, 2, seed=4)
    end, momentum = _trajectory(corrector, problem, x, z, now)
    assert float((end - x).abs().max()) > 0.1
    back, reversed_momentum = _trajectory(corrector, problem, end, -momentum, now)
    torch.testing.assert_close(back, x, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(reversed_momentum, -z, rtol=1e-9, atol=1e-9)


def test_leapfrog_keeps_the_volume(process: NoiseProcess, plane: Mixture) -> None:
    now, corrector = process.at_s(0.4), _hmc(step=0.8, leapfrog=4)
    problem = Problem(process, plane.denoise)

    def flow(state: Tensor) -> Tensor:
        x, z = state[None, :2], state[None, 2:]
        return torch.cat(_trajectory(corrector, problem, x, z, now), dim=1)[0]

    for row in _random(5, 4):
        jacobian = torch.autograd.functional.jacobian(flow, row)
        assert float(torch.linalg.det(jacobian)) == pytest.approx(1, rel=1e-9)
        assert float((jacobian - torch.eye(4)).abs().max()) > 0.3


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_energy_errors_fall_with_the_square_of_the_step(process_name: str, plane: Mixture) -> None:
    process = process_of(process_name)
    now, problem = process.at_s(0.4), Problem(process, plane.denoise)
    x, z = now.alpha * _random(200, 2), _random(200, 2, seed=4)

    def energy(x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * z.square().sum(1) - plane.log_prob(x / now.alpha, now.s)

    counts, errors = [8, 16, 32, 64], []
    for count in counts:
        corrector = _hmc(step=1.5 / count, leapfrog=count)
        end = _trajectory(corrector, problem, x, z, now)
        errors.append(float((energy(*end) - energy(x, z)).abs().median()))
    assert convergence_slope(counts, errors) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("level", [0.2, 1.0, 30.0])
@pytest.mark.parametrize(("step", "leapfrog"), [(0.3, 3), (1.0, 1), (1.2, 5)])
def test_unadjusted_it_settles_at_the_variance_of_the_leapfrog_map(
    process: NoiseProcess, level: float, step: float, leapfrog: int
) -> None:
    """V / (1 - e^2 / (4 V)), e = step sigma_t, whatever the length of the trajectory.

    Leapfrog keeps z^2 / 2 + (1 - e^2 / (4 V)) x^2 / (2 V) of a Gaussian, and the momenta are
    N(0, 1). Read off the coefficients of x and z.
    """
    now = process.at_s(level)
    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64)
    z = torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)
    problem = Problem(process, gaussian, cast(NoiseStream, Draws(z)))
    out = _hmc(step=step, leapfrog=leapfrog).correct(problem, x, now)[:, 0]
    shift, keep, gain = out[0].item(), (out[1] - out[0]).item(), (out[2] - out[0]).item()
    assert shift / (1 - keep) == pytest.approx(now.alpha * MEAN, rel=1e-6)
    variance = now.alpha**2 * VARIANCE + now.sigma**2
    expected = variance / (1 - (step * now.sigma) ** 2 / (4 * variance))
    assert gain**2 / (1 - keep**2) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_adjusted_it_leaves_a_gaussian_as_it_is(process_name: str) -> None:
    """With steps that, unadjusted, give a quarter of the variance too much."""
    process, count = process_of(process_name), 4000
    now, corrector = process.at_s(1.0), _hmc(step=1.0, leapfrog=2)
    exact = now.alpha**2 * VARIANCE + now.sigma**2
    found = []
    for log_prob in (gaussian_log_prob, None):
        noise = NoiseStream(1, "sampler", 0, count, (3,), torch.float64)
        problem = Problem(process, gaussian, noise, log_prob)
        x = now.alpha * MEAN + sqrt(exact) * noise.normal()
        for _ in range(30):
            x = corrector.correct(problem, x, now)
        found.append(((x - now.alpha * MEAN).mean().item(), x.var().item() / exact))
    (mean, adjusted), (_, unadjusted) = found
    assert mean == pytest.approx(0, abs=4 * sqrt(exact / (3 * count)))
    assert adjusted == pytest.approx(1, abs=4 * sqrt(2 / (3 * count)))
    bias = 1 / (1 - now.sigma**2 / (4 * exact))
    assert bias > 1.2
    assert unadjusted == pytest.approx(bias, rel=4 * sqrt(2 / (3 * count)))


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_adjusted_it_leaves_a_mixture_as_it_is(process_name: str, line: Mixture) -> None:
    """Kolmogorov's distance to the exact distribution function."""
    process, count = process_of(process_name), 8000
    now, exact = process.at_s(0.3), LineMixture()
    corrector = _hmc(step=1.8, leapfrog=2, trajectories=2)
    distances = []
    for log_prob in (line.log_prob, None):
        noise = NoiseStream(2, "sampler", 0, count, (1,), torch.float64)
        problem = Problem(process, line.denoise, noise, log_prob)
        x = now.alpha * exact.quantile(torch.special.ndtr(noise.normal()), now.s)
        for _ in range(15):
            x = corrector.correct(problem, x, now)
        u = exact.cdf(x / now.alpha, now.s)[:, 0].sort().values
        distances.append(float((u - (torch.arange(count) + 0.5) / count).abs().max()))
    limit = 1.95 / sqrt(count)  # one run in a thousand lies above
    assert distances[0] < limit < 1.5 * limit < distances[1]


def test_samples_are_accepted_one_by_one(process: NoiseProcess, plane: Mixture) -> None:
    """By the first uniform draw of each, against exp(-change of energy)."""
    now, corrector = process.at_s(2.0), _hmc(step=1.9, leapfrog=3)
    x, z = 2 * now.alpha * _random(64, 2), _random(64, 2, seed=4)
    u = torch.from_numpy(np.random.default_rng(6).random((64, 2)))
    quiet = Problem(process, plane.denoise)
    end, momentum = _trajectory(corrector, quiet, x, z, now)
    before = plane.log_prob(x / now.alpha, now.s) - 0.5 * z.square().sum(1)
    after = plane.log_prob(end / now.alpha, now.s) - 0.5 * momentum.square().sum(1)
    accepted = u[:, 0] < (after - before).exp()
    assert 10 < int(accepted.sum()) < 60
    noise = cast(NoiseStream, Draws(z, u))
    result = corrector.correct(Problem(process, plane.denoise, noise, plane.log_prob), x, now)
    assert torch.equal(result[~accepted], x[~accepted])
    torch.testing.assert_close(result[accepted], end[accepted], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("adjusted", [False, True])
def test_trajectories_in_one_call_are_calls_in_a_row_for_fewer_evaluations(
    process: NoiseProcess, plane: Mixture, adjusted: bool
) -> None:
    now, x = process.at_s(0.2), _random(64, 2)
    uniform = torch.from_numpy(np.random.default_rng(6).random((3, 64, 2)))
    draws: list[Tensor] = []
    for i in range(3):
        draws += [_random(64, 2, seed=10 + i), *([uniform[i]] if adjusted else [])]
    log_prob = plane.log_prob if adjusted else None

    def run(trajectories: int, calls: int) -> tuple[Tensor, float]:
        model, corrector = CountedDenoiser(plane.denoise), _hmc(step=1.2, trajectories=trajectories)
        problem = Problem(process, model, cast(NoiseStream, Draws(*draws)), log_prob)
        state = x * now.alpha
        for _ in range(calls):
            state = corrector.correct(problem, state, now)
        assert model.evaluations.nfe(64) == calls * corrector.cost()
        return state, model.evaluations.nfe(64)

    (one, once), (three, thrice) = run(3, 1), run(1, 3)
    torch.testing.assert_close(one, three, rtol=1e-10, atol=1e-10)
    assert (once, thrice) == (10, 12)


def test_it_says_whether_it_is_adjusted(process: NoiseProcess, plane: Mixture) -> None:
    known = Problem(process, plane.denoise, log_prob=plane.log_prob)
    assert _hmc().note(known) == "Metropolis-adjusted"
    assert "unadjusted" in _hmc().note(Problem(process, plane.denoise))
    langevin: Any = load_registry().get("langevin", Kind.CORRECTOR).cls()
    assert isinstance(langevin, Corrector)
    assert langevin.note(known) == ""


@pytest.mark.parametrize(
    "parameters", [{"step": 0.0}, {"step": 2.0}, {"leapfrog": 0}, {"trajectories": 0}]
)
def test_parameters_are_checked(parameters: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        _hmc(**parameters)
