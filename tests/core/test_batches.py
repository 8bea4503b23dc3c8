"""Samples belong to their seed: not to batches, threads, dtypes or global random states."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.api import (
    Adaptive,
    Corrector,
    CountedDenoiser,
    Denoiser,
    Draw,
    NoiseProcess,
    NoiseStream,
    OdeSolver,
    Problem,
    Sampler,
    Stepper,
    Time,
    TimeGrid,
    rows_of,
)
from bench.core.sample import generate
from bench.registry import Kind, build, load_registry
from bench.testing import process_of
from bench_plugins.models.mixture import RandomMixture

SAMPLES = 256


class SmallNetwork(nn.Module):
    """A convolutional network of random weights under EDM's preconditioning."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 1, 3, padding=1)
        )
        generator = torch.Generator().manual_seed(17)
        for parameter in self.parameters():
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
            parameter.requires_grad_(False)

    def forward(self, y: Tensor, s: Tensor) -> Tensor:
        s = rows_of(s, y).expand(y.shape[0], 1, 1, 1)
        data = 0.5
        scale = (s * s + data**2).sqrt()
        level = (s.log() / 4).expand_as(y)
        inner = self.body(torch.cat([y / scale, level], dim=1))
        result: Tensor = y * data**2 / scale**2 + s * data / scale * inner
        return result


def _times(process: NoiseProcess, steps: int = 5) -> tuple[Time, ...]:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    return grid.times(process, steps, 0.02, 20.0)


def _samples(
    sampler: Sampler,
    network: Denoiser,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    batch: int,
    process_name: str = "vp",
    seed: int = 0,
    samples: int = SAMPLES,
) -> Tensor:
    process = process_of(process_name)
    if isinstance(sampler.stepper, Adaptive):  # a coarse tolerance is a fast one
        coarse = 0.1 if sampler.stepper.stochastic else 1e-3
        loose = build(type(sampler.stepper), {sampler.stepper.ladder: coarse})
        sampler = replace(sampler, stepper=loose)
    draw = Draw(seed, samples, batch, shape, dtype)
    batches = list(generate(process, CountedDenoiser(network), sampler, _times(process), draw))
    assert [b.first for b in batches] == list(np.cumsum([0, *(len(b.x) for b in batches[:-1])]))
    return torch.cat([b.x for b in batches])


def _mixture(dtype: torch.dtype) -> Denoiser:
    return RandomMixture(dim=6, components=3).load(torch.device("cpu"), dtype).denoiser


PROBLEMS: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
    "mixture": ((6,), torch.float64),
    "network": ((1, 6, 6), torch.float32),
}


def _network(name: str) -> Denoiser:
    return _mixture(torch.float64) if name == "mixture" else SmallNetwork()


@pytest.mark.parametrize(("problem", "process_name"), [("mixture", "edm"), ("network", "vp")])
def test_whole_shards_give_the_same_bits(
    stepper: Stepper[Any], problem: str, process_name: str
) -> None:
    shape, dtype = PROBLEMS[problem]
    runs = [
        _samples(Sampler(stepper), _network(problem), shape, dtype, batch, process_name)
        for batch in (64, 128, 256)
    ]
    assert torch.isfinite(runs[0]).all()
    assert torch.equal(runs[0], runs[1])
    assert torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("problem", PROBLEMS)
def test_whole_shards_give_the_same_bits_with_a_corrector(
    corrector: Corrector, problem: str
) -> None:
    shape, dtype = PROBLEMS[problem]
    stepper: Any = load_registry().get("reverse_diffusion", Kind.PREDICTOR).cls()
    sampler = Sampler(stepper, corrector)
    runs = [_samples(sampler, _network(problem), shape, dtype, batch) for batch in (64, 128, 256)]
    assert torch.equal(runs[0], runs[1])
    assert torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("batch", [1, 7, 100])
def test_other_batch_sizes_differ_in_the_last_bits_alone(
    stepper: Stepper[Any], problem: str, batch: int
) -> None:
    shape, dtype = PROBLEMS[problem]
    whole, parts = (
        _samples(Sampler(stepper), _network(problem), shape, dtype, size, samples=130)
        for size in (64, batch)
    )
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-4)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", ["dpmpp_2m", "edm_heun", "ancestral", "rk4"])
def test_one_thread_or_two_give_the_same_bits(problem: str, name: str) -> None:
    stepper: Any = load_registry().get(name, Kind.PREDICTOR, Kind.ODE_SOLVER).cls()
    shape, dtype = PROBLEMS[problem]
    runs = []
    for count in (1, 2):
        torch.set_num_threads(count)
        runs.append(_samples(Sampler(stepper), _network(problem), shape, dtype, 128))
    assert torch.equal(runs[0], runs[1])


def test_samples_do_not_know_of_other_samples(stepper: Stepper[Any]) -> None:
    """A run of the first 64 is the first 64 of a longer run."""
    shape, dtype = PROBLEMS["mixture"]
    network = _mixture(dtype)
    short = _samples(Sampler(stepper), network, shape, dtype, 64, samples=64)
    longer = _samples(Sampler(stepper), network, shape, dtype, 256, samples=256)
    assert torch.equal(short, longer[:64])


def test_seeds_give_other_samples(stepper: Stepper[Any]) -> None:
    shape, dtype = PROBLEMS["mixture"]
    first, second = (
        _samples(Sampler(stepper), _mixture(dtype), shape, dtype, 64, seed=seed, samples=64)
        for seed in (0, 1)
    )
    assert float((first - second).abs().mean()) > 0.05


def test_float32_agrees_with_float64(stepper: Stepper[Any]) -> None:
    single, double = (
        _samples(Sampler(stepper), _mixture(dtype), (6,), dtype, 64, samples=64)
        for dtype in (torch.float32, torch.float64)
    )
    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    error = (single.double() - double).abs()
    assert float(error.median()) < 1e-5
    assert float(error.max()) < 1e-3


def _problem_and_state(
    process: NoiseProcess, dtype: torch.dtype = torch.float64
) -> tuple[Problem, Tensor]:
    noise = NoiseStream(0, "sampler", 0, 5, (6,), dtype)
    x = NoiseStream(0, "prior", 0, 5, (6,), dtype).normal() * process.at_s(20.0).sigma
    return Problem(process, _mixture(dtype), noise), x


def test_steps_leave_their_inputs_alone(fixed_stepper: Stepper[Any], process: NoiseProcess) -> None:
    problem, x = _problem_and_state(process)
    times = _times(process)
    state = fixed_stepper.start(times)
    for now, then in pairwise(times):
        before = x.clone()
        result, state = fixed_stepper.step(problem, x, now, then, state)
        assert torch.equal(x, before)
        assert result.data_ptr() != x.data_ptr()
        x = result


def test_adaptive_solvers_leave_their_inputs_alone(adaptive_solver: OdeSolver[Any]) -> None:
    process = process_of("vp")
    problem, x = _problem_and_state(process)
    before = x.clone()
    adaptive_solver.solve(problem, x, _times(process))
    assert torch.equal(x, before)


def test_correctors_leave_their_inputs_alone(corrector: Corrector, process: NoiseProcess) -> None:
    problem, x = _problem_and_state(process)
    before = x.clone()
    corrector.correct(problem, x, process.at_s(2.0))
    assert torch.equal(x, before)


def test_what_the_network_returns_is_left_alone(
    every_fixed_stepper: Stepper[Any], process: NoiseProcess
) -> None:
    """A network may hand out a buffer of its own, or what it keeps in a cache."""
    kept: list[tuple[Tensor, Tensor]] = []
    inner = _mixture(torch.float64)

    def network(y: Tensor, s: Tensor) -> Tensor:
        d = inner(y, s)
        kept.append((d, d.clone()))
        return d

    noise = NoiseStream(0, "sampler", 0, 5, (6,), torch.float64)
    _, x = _problem_and_state(process)
    corrector: Any = load_registry().get("langevin", Kind.CORRECTOR).cls()
    Sampler(every_fixed_stepper, corrector).run(
        Problem(process, network, noise), x, _times(process)
    )
    assert all(torch.equal(d, copy) for d, copy in kept)


def test_no_global_random_state_is_touched_or_read(stepper: Stepper[Any]) -> None:
    shape, dtype = PROBLEMS["network"]
    corrector: Any = load_registry().get("langevin", Kind.CORRECTOR).cls()
    results, network = [], SmallNetwork()
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # type: ignore[index]  # noqa: NPY002
        results += [
            _samples(sampler, network, shape, dtype, 64, samples=64)
            for sampler in (Sampler(stepper), Sampler(stepper, corrector))
        ]
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # type: ignore[index]  # noqa: NPY002
        assert random.getstate() == before[2]
    assert torch.equal(results[0], results[2])
    assert torch.equal(results[1], results[3])


def test_all_processes_start_from_the_same_noise(every_process: NoiseProcess) -> None:
    process = every_process
    draw = Draw(seed=4, samples=70, batch=64, shape=(3,), dtype=torch.float64)
    start = process.at_s(20.0)
    expected = NoiseStream(4, "prior", 64, 6, (3,), torch.float64).normal() * 20.0
    torch.testing.assert_close(draw.prior(start, 64, 6) / start.alpha, expected)


@pytest.mark.parametrize(
    ("samples", "batch", "expected"),
    [(5, 5, [(0, 5)]), (5, 2, [(0, 2), (2, 2), (4, 1)]), (3, 10, [(0, 3)]), (0, 4, [])],
)
def test_batches_cover_the_samples_once(
    samples: int, batch: int, expected: list[tuple[int, int]]
) -> None:
    assert list(Draw(0, samples, batch, (1,)).slices()) == expected
