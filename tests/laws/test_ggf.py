"""Gotta Go Fast: the pair of steps, the moments of its samples, and samples on their own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt
from typing import Any, ClassVar, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import (
    AdaptivePredictor,
    CountedDenoiser,
    NoiseProcess,
    NoiseStream,
    Predictor,
    Problem,
    Time,
    Walk,
    rows_of,
)
from bench.registry import Kind, ParameterError, build, load_registry
from bench.testing import Gaussian, measured_weak_order, process_of
from bench_plugins.ggf.ggf import GGF, _pair
from bench_plugins.models.closed_form import Mixture

DATA = Gaussian()


def gaussian(y: Tensor, s: Tensor) -> Tensor:
    """The denoiser of ``DATA`` in every entry, ``s`` of shape () or (n,)."""
    share = DATA.variance / (DATA.variance + rows_of(s, y) ** 2)
    return DATA.mean + share * (y - DATA.mean)


class OneDraw:
    """Stands in for a noise stream: always the same draw."""

    def __init__(self, z: Tensor) -> None:
        self.z = z

    def normal(self) -> Tensor:
        return self.z


def _ggf(**parameters: object) -> GGF:
    plugin = build(load_registry().get("ggf", Kind.PREDICTOR).cls, parameters)
    assert isinstance(plugin, GGF)
    return plugin


def _stream(count: int, dimension: int, first: int = 0, purpose: Any = "sampler") -> NoiseStream:
    return NoiseStream(3, purpose, first, count, (dimension,), torch.float64)


def _run(
    process: NoiseProcess,
    count: int,
    dimension: int,
    s_min: float = 0.1,
    first: int = 0,
    **parameters: object,
) -> tuple[Tensor, float]:
    """Samples at s_min from the exact marginal at s = 10, and their mean NFE."""
    times = process.at_s(10.0), process.at_s(s_min)
    mean, variance = DATA.marginal(times[0])
    x = mean + sqrt(variance) * _stream(count, dimension, first, "prior").normal()
    model = CountedDenoiser(gaussian)
    problem = Problem(process, model, _stream(count, dimension, first))
    end = _ggf(**parameters).solve(problem, x, times)
    return end, model.evaluations.nfe(count)


def _moments(process: NoiseProcess, x: Tensor, s_min: float = 0.1) -> tuple[float, float]:
    """Error of the mean in standard deviations, and of the variance relative to it."""
    mean, variance = DATA.marginal(process.at_s(s_min))
    return float(x.mean() - mean) / sqrt(variance), float((x - mean).square().mean()) / variance - 1


def test_an_attempt_is_euler_maruyama_and_improved_euler(
    process: NoiseProcess, plane: Mixture
) -> None:
    """The first is ``euler_maruyama``; the second is written with the score."""
    other: Any = load_registry().get("euler_maruyama", Kind.PREDICTOR).cls()
    random = np.random.default_rng(5)
    x, z = (torch.from_numpy(random.standard_normal((8, 2))) for _ in range(2))
    problem = Problem(process, plane.denoise, cast(NoiseStream, OneDraw(z)))
    for now, then in pairwise(process.at_s(s) for s in (10.0, 4.0, 1.0, 0.2)):
        ends = (torch.full((8,), time.t, dtype=torch.float64) for time in (now, then))
        euler, gap = _pair(problem, x, z, *ends)
        expected, _ = other.step(problem, x, now, then, None)
        torch.testing.assert_close(euler, expected, rtol=1e-9, atol=1e-9)

        def increment(x: Tensor, time: Time, h: float = now.t - then.t) -> Tensor:
            drift = time.f * x - time.g2 * problem.score(x, time)
            return -h * drift + sqrt(time.g2 * h) * z

        heun = x + (increment(x, now) + increment(euler, then)) / 2
        torch.testing.assert_close(euler + gap, heun, rtol=1e-8, atol=1e-8)


def test_the_next_step_is_what_the_error_allows(process: NoiseProcess, plane: Mixture) -> None:
    """Algorithm 1 by numpy: the tolerance knows the last state too."""
    random = np.random.default_rng(6)
    x, z, previous = (torch.from_numpy(random.standard_normal((16, 2))) for _ in range(3))
    now, then, end = (process.at_s(s) for s in (1.0, 0.5, 0.1))
    size, times = now.t - then.t, [torch.full((16,), t, dtype=x.dtype) for t in (now.t, then.t)]
    problem = Problem(process, plane.denoise, cast(NoiseStream, OneDraw(z)))
    h, rows, rejected = torch.full_like(times[0], size), torch.arange(16), torch.zeros(16).bool()
    walk = Walk(x, h, (3 * previous,), times[0], now.t, end.t, rows, rejected, z)
    solver = _ggf(rtol=0.5, atol=0.2, safety=0.8, exponent=0.7)
    tried = solver.attempt(problem, walk, times[1])

    euler, gap = (part.numpy() for part in _pair(problem, x, z, *times))
    allowed = np.maximum(0.2, 0.5 * np.maximum(abs(euler), abs(3 * previous.numpy())))
    error = np.sqrt(np.mean((gap / allowed) ** 2, axis=1))
    np.testing.assert_allclose(tried.h, 0.8 * size * error**-0.7, rtol=1e-9)
    np.testing.assert_allclose(tried.x, euler + gap, rtol=1e-9)
    np.testing.assert_allclose(tried.memory[0], euler, rtol=1e-12)
    assert tried.accepted.tolist() == (error <= 1).tolist()
    assert 0 < tried.accepted.sum() < 16


@dataclass(frozen=True)
class FixedSteps(Predictor[None]):
    """The improved Euler step of GGF on a given grid."""

    name: ClassVar[str] = "improved_euler"
    reference: ClassVar[str] = "Jolicoeur-Martineau et al. 2021, arXiv:2105.14080, Section 3"
    order: ClassVar[int] = 2

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        ends = (torch.full((len(x),), time.t, dtype=torch.float64) for time in (now, then))
        # The Gaussian of `measured_weak_order` takes one level for all.
        alike = replace(problem, model=lambda y, s: problem.model(y, s[0]))
        euler, gap = _pair(alike, x, problem.normal(), *ends)
        return euler + gap, None


@pytest.mark.parametrize("process_name", ["vp", "edm", "ve"])
def test_with_fixed_steps_the_weak_order_is_two(process_name: str) -> None:
    slope = measured_weak_order(FixedSteps(), process_name, "quadratic", (40, 80, 160))
    assert slope > GGF.order - 0.1


@pytest.mark.parametrize("process_name", ["vp", "edm", "ve", "rectified_flow"])
def test_moments_in_many_dimensions_are_exact(process_name: str) -> None:
    process, count, dimension = process_of(process_name), 64, 512
    x, _ = _run(process, count, dimension, rtol=0.003, atol=0.003)
    mean, variance = _moments(process, x)
    entries = count * dimension
    assert mean == pytest.approx(0, abs=4 / sqrt(entries))
    # Attempts that draw anew leave a bias of about 1 / d.
    assert variance == pytest.approx(0, abs=4 * sqrt(2 / entries) + 2 / dimension)


def test_coarse_tolerances_are_felt() -> None:
    process = process_of("vp")
    x, _ = _run(process, 64, 512, rtol=3.0, atol=1.0)
    assert abs(_moments(process, x)[1]) > 0.1


@pytest.mark.parametrize(("dimension", "low", "high"), [(1, 0.4, 1.5), (4, 0.1, 0.4)])
def test_rejections_that_draw_anew_leave_a_bias_in_few_dimensions(
    dimension: int, low: float, high: float
) -> None:
    """Of the algorithm as published, about 1 / d of the variance, whatever the tolerance."""
    process = process_of("vp")
    for tolerance in (0.03, 0.003):
        x, _ = _run(process, 2048, dimension, rtol=tolerance, atol=tolerance)
        assert low < _moments(process, x)[1] < high


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_tighter_tolerances_cost_more(process_name: str) -> None:
    costs = [_run(process_of(process_name), 16, 64, rtol=r, atol=r)[1] for r in (0.1, 0.03, 0.01)]
    assert all(a * 1.3 < b for a, b in itertools.pairwise(costs))


def test_a_sample_is_the_same_alone_and_in_a_batch(process: NoiseProcess) -> None:
    """To the last bit: its noise, its times and its error are its own."""
    whole, _ = _run(process, 100, 6, rtol=0.05)
    for i in (0, 37, 63, 64, 99):
        alone, _ = _run(process, 1, 6, first=i, rtol=0.05)
        assert torch.equal(alone[0], whole[i])
    part, _ = _run(process, 36, 6, first=64, rtol=0.05)
    assert torch.equal(part, whole[64:])


def test_evaluations_lie_in_the_interval_and_are_those_of_samples_under_way(
    process: NoiseProcess, plane: Mixture
) -> None:
    levels: list[Tensor] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        assert s.shape == (len(y),)
        levels.append(s)
        return plane.denoise(y, s)

    times = process.at_s(10.0), process.at_s(0.1)
    x = times[0].sigma * _stream(60, 2, purpose="prior").normal()
    end = _ggf().solve(Problem(process, denoise, _stream(60, 2)), x, times)
    assert torch.isfinite(end).all()
    seen = torch.cat(levels)
    assert float(seen.min()) >= times[1].s * (1 - 1e-12)
    assert float(seen.max()) <= times[0].s * (1 + 1e-12)
    assert float(levels[40].max()) > 1.01 * float(levels[40].min())  # each its own time
    under_way = [len(s) for s in levels]
    assert under_way == sorted(under_way, reverse=True)
    assert under_way[0] == 60 > under_way[-1]


def test_shards_go_through_the_network_apart() -> None:
    """As they do elsewhere, so that a network's last bits do not depend on the batch."""
    calls: list[Tensor] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        calls.append(y[:, 1])
        return torch.stack([gaussian(y[:, :1], s)[:, 0], y[:, 1]], dim=1)

    process = process_of("edm")
    times = process.at_s(10.0), process.at_s(0.1)
    x = times[0].sigma * _stream(130, 2, purpose="prior").normal()
    x[:, 1] = torch.arange(130)

    class Silent:
        def normal(self) -> Tensor:
            return torch.zeros(130, 2, dtype=torch.float64)

    problem = Problem(process, CountedDenoiser(denoise), cast(NoiseStream, Silent()))
    _ggf(rtol=0.1).solve(problem, x, times)
    shards = [(rows / 64).floor() for rows in calls]
    assert all(bool((s == s[0]).all()) for s in shards)
    assert len({float(s[0]) for s in shards}) == 3


def test_times_between_make_no_difference(plane: Mixture) -> None:
    process = process_of("vp")
    ends = [process.at_s(s) for s in (10.0, 3.0, 0.4, 0.1)]
    x = ends[0].sigma * _stream(5, 2, purpose="prior").normal()

    def solve(times: Sequence[Time]) -> Tensor:
        return _ggf().solve(Problem(process, plane.denoise, _stream(5, 2)), x, times)

    assert torch.equal(solve(ends), solve((ends[0], ends[-1])))


@pytest.mark.parametrize("tolerance", [1e-4, 10.0])
def test_what_is_not_a_number_ends(tolerance: float) -> None:
    """One sample's network breaks down on the way; it shows, and the others go on."""
    process = process_of("vp")

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        broken = (torch.arange(len(y)) == 0) & (s < 1) & (len(y) == 3)
        return torch.where(broken[:, None], torch.nan, gaussian(y, s))

    times = process.at_s(10.0), process.at_s(0.1)
    x = times[0].sigma * _stream(3, 32, purpose="prior").normal()
    solver = _ggf(rtol=tolerance, atol=max(tolerance, 1e-2))
    end = solver.solve(Problem(process, denoise, _stream(3, 32)), x, times)
    assert torch.isnan(end[0]).all()
    assert torch.isfinite(end[1:]).all()


def test_it_is_adaptive_and_uncoupled() -> None:
    assert isinstance(_ggf(), AdaptivePredictor)
    assert _ggf().ladder == "rtol"
    assert not _ggf().batch_coupled


@pytest.mark.parametrize(
    "parameters",
    [{"rtol": 0.0}, {"atol": 0.0}, {"h_init": 0.0}, {"safety": 1.0}, {"exponent": 1.5}],
)
def test_parameters_are_checked(parameters: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        _ggf(**parameters)
