"""The bound against closed forms, and against the chain's own steps written as densities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from bench.api import (
    Corrector,
    CountedDenoiser,
    Draw,
    Guided,
    Measurement,
    Model,
    NoiseProcess,
    Problem,
    Sampler,
    Time,
    Trial,
    UnsupportedError,
)
from bench_plugins.ddim.discrete import Leading
from bench_plugins.dpm.grid import LogSnr
from bench_plugins.edm.process import EDM
from bench_plugins.metrics.elbo import Elbo
from bench_plugins.metrics.nll_bpd import NllBpd
from bench_plugins.models.empirical import Empirical
from bench_plugins.models.mixture import GaussianMixture
from bench_plugins.models.pretrained import DigitsMlp
from bench_plugins.odes.rk4 import RK4
from bench_plugins.score_sde.correctors import Langevin
from bench_plugins.score_sde.predictors import Ancestral
from bench_plugins.score_sde.processes import VP

GAUSSIAN = GaussianMixture(means=((0.4, -0.3),), stds=(0.5,), weights=None)
S_MIN, S_MAX, POINTS = 0.01, 40.0, 4096


def _trial(
    model: Model,
    steps: int,
    process: NoiseProcess,
    stepper: object = None,
    corrector: Corrector | None = None,
) -> Trial:
    loaded = model.load(torch.device("cpu"), torch.float64)
    times = LogSnr().times(process, steps, S_MIN, S_MAX)
    sampler = Sampler(stepper or Ancestral(), corrector)  # type: ignore[arg-type]
    return Trial(loaded, process, sampler, times, Draw(3, 64, 64, loaded.shape, torch.float64))


def _numbers(numbers: Sequence[Measurement]) -> dict[str, Measurement]:
    return {number.metric: number for number in numbers}


def _gaussian_bound(times: Sequence[Time], widened: bool) -> float:
    """The expectation for N(m, v I), nats per dimension: E |x - D|^2 is v u / (v + u) each."""
    m2, v = (0.4**2 + 0.3**2) / 2, 0.25
    total = (m2 + v) / (2 * times[0].s ** 2)
    for now, then in pairwise(times):
        u, w = now.s**2, then.s**2
        ratio = (then.sigma / now.sigma) ** 2 if widened else 1.0
        total += (ratio - 1 - math.log(ratio)) / 2
        total += ratio * (1 / w - 1 / u) / 2 * v * u / (v + u)
    u = times[-1].s ** 2
    return total + v / (v + u) / 2 + math.log(2 * math.pi * u) / 2


@pytest.mark.parametrize("widened", [False, True])
@pytest.mark.parametrize("steps", [4, 40])
def test_a_gaussians_bound_is_the_closed_form(steps: int, widened: bool) -> None:
    trial = _trial(GAUSSIAN, steps, VP(), Ancestral(forward_variance=widened))
    found = _numbers(Elbo(points=POINTS).measure(trial))["elbo_nats"]
    assert found.std_error is not None
    assert abs(found.value - _gaussian_bound(trial.times, widened)) < 4 * found.std_error
    assert found.nfe == steps + 1


def _path_bound(trial: Trial, x: Tensor) -> Tensor:
    """log q(path | x) - log p(path, x) along one forward path of each point, nats, (n,).

    The chain's means and deviations are those of the solver's own steps in x_t.
    """
    torch.manual_seed(0)
    times, stepper = trial.times, trial.sampler.stepper
    up = list(reversed(times))
    path = [up[0].alpha * x + up[0].sigma * torch.randn_like(x)]
    forward = [Normal(up[0].alpha * x, up[0].sigma).log_prob(path[0])]
    for then, now in pairwise(up):
        a = now.alpha / then.alpha
        step = Normal(a * path[-1], math.sqrt(now.sigma**2 - a**2 * then.sigma**2))
        path.append(step.sample())
        forward.append(step.log_prob(path[-1]))
    path.reverse()
    backward = [Normal(0.0, times[0].sigma).log_prob(path[0])]
    for (now, then), x_now, x_then in zip(pairwise(times), path, path[1:], strict=False):
        mean, shifted = (
            stepper.step(_Fixed(trial, noise), x_now, now, then, None)[0]  # type: ignore[arg-type]
            for noise in (0.0, 1.0)
        )
        backward.append(Normal(mean, (shifted - mean).mean()).log_prob(x_then))
    s = torch.tensor(times[-1].s, dtype=x.dtype)
    decoded = trial.model.denoiser(path[-1] / times[-1].alpha, s)  # type: ignore[operator]
    backward.append(Normal(decoded, times[-1].s).log_prob(x))
    return (sum(forward) - sum(backward)).sum(1)  # type: ignore[union-attr]


class _Fixed:
    """A problem whose every draw is the same number."""

    def __init__(self, trial: Trial, noise: float) -> None:
        counted = CountedDenoiser(trial.model.denoiser)
        self.problem = Problem(trial.process, counted)
        self.noise = noise

    def denoise(self, x: Tensor, now: Time) -> Tensor:
        self.shape = x
        return self.problem.denoise(x, now)

    def split(self, x: Tensor, now: Time) -> Guided:
        d = self.denoise(x, now)
        return Guided(d, d)

    def normal(self) -> Tensor:
        return torch.full_like(self.shape, self.noise)


@pytest.mark.parametrize("widened", [False, True])
def test_the_bound_is_that_of_the_solvers_own_steps(widened: bool) -> None:
    trial = _trial(GaussianMixture(), 12, VP(), Ancestral(forward_variance=widened))
    found = _numbers(Elbo(points=POINTS).measure(trial))["elbo_nats"]
    exact = trial.model.target.exact
    assert exact is not None
    paths = _path_bound(trial, exact.sample(20_000, 99)) / 2
    error = float(paths.std()) / math.sqrt(len(paths))
    assert found.std_error is not None
    assert abs(found.value - float(paths.mean())) < 4 * math.hypot(error, found.std_error)


def test_the_gap_is_positive_and_falls_as_the_grid_grows() -> None:
    gaps = []
    for steps in (25, 100, 400):
        found = _numbers(Elbo(points=1024).measure(_trial(GaussianMixture(), steps, EDM())))
        gap, exact = found["elbo_gap_nats"], found["elbo_exact_nats"]
        assert gap.value == pytest.approx(found["elbo_nats"].value - exact.value, abs=1e-9)
        assert gap.std_error is not None
        assert gap.value > -4 * gap.std_error
        gaps.append(gap.value)
    assert gaps[0] > gaps[1] > gaps[2]
    # First order in the step of ln s, once that is small.
    assert gaps[1] / gaps[2] == pytest.approx(4, rel=0.25)


def test_more_draws_leave_the_value_and_shrink_its_noise() -> None:
    trial = _trial(GAUSSIAN, 20, VP())
    one, many = (
        _numbers(Elbo(points=1024, draws=draws).measure(trial))["elbo_gap_nats"]
        for draws in (1, 16)
    )
    assert many.std_error is not None
    assert one.std_error is not None
    assert many.std_error < one.std_error / 2
    assert abs(one.value - many.value) < 4 * one.std_error


def test_a_points_bound_does_not_depend_on_the_others() -> None:
    trial = _trial(GaussianMixture(), 7, VP())
    few, many = (
        _numbers(Elbo(points=points).measure(trial))["elbo_nats"].evidence for points in (70, 300)
    )
    assert few is not None
    assert many is not None
    assert torch.equal(few[:64], many[:64])
    assert torch.allclose(few[64:], many[64:70], rtol=1e-12)


def test_held_out_digits_lie_above_their_likelihood_by_the_ode() -> None:
    model = DigitsMlp()
    (bound,) = Elbo(points=128).measure(_trial(model, 200, VP()))
    found = _numbers(NllBpd(images=128).measure(_trial(model, 8, VP(), RK4())))
    likelihood = found["nll_bpd_converged"]
    assert (bound.metric, bound.unit, bound.n) == ("elbo_bpd", "bits/dim", 128)
    assert likelihood.value < bound.value < likelihood.value + 1.0


def test_what_has_no_such_bound_is_refused() -> None:
    metric, usual = Elbo(points=8), _trial(GAUSSIAN, 4, VP())
    with pytest.raises(UnsupportedError, match="rk4 has no such bound"):
        metric.measure(_trial(GAUSSIAN, 4, VP(), RK4()))
    with pytest.raises(UnsupportedError, match="with a corrector"):
        metric.measure(_trial(GAUSSIAN, 4, VP(), corrector=Langevin()))
    with pytest.raises(UnsupportedError, match="finish: denoise"):
        metric.measure(replace(usual, sampler=replace(usual.sampler, finish=False)))
    part = Leading().times(VP(), 4, S_MIN, S_MAX)
    with pytest.raises(UnsupportedError, match="needs a grid from"):
        metric.measure(replace(usual, times=part, requested=(S_MIN, S_MAX)))
    with pytest.raises(UnsupportedError, match="density at s = 0"):
        metric.measure(_trial(Empirical(), 4, VP()))
