"""Marginals on the way from noise to data against exact ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Draw,
    Measurement,
    Predictor,
    Problem,
    Sampler,
    Time,
    Trial,
    UnsupportedError,
    generate,
)
from bench.registry import ParameterError, build
from bench.testing import grid_of, model_of, process_of, stepper_of
from bench_plugins.metrics.marginal import Yardstick, measure_marginals, states
from bench_plugins.metrics.marginals import Marginals
from bench_plugins.score_sde.correctors import Langevin

CPU = torch.device("cpu")
YARDSTICK = Yardstick(levels=4, samples=1024, reference_samples=3000, repeats=20, axes=16)


def _trial(
    stepper: Any, steps: int, model: str = "gaussian_mixture", samples: int = 1024, seed: int = 0
) -> Trial:
    loaded, process = model_of(model).load(CPU, torch.float64), process_of("vp")
    low, high = process.s_range
    ends = max(loaded.s_min, low), min(loaded.s_max, high)
    times = grid_of("karras").times(process, steps, *ends)
    draw = Draw(seed, samples, 256, loaded.shape, torch.float64)
    return Trial(loaded, process, Sampler(stepper), times, draw)


def _measure(trial: Trial, metric: Marginals | None = None) -> dict[str, Measurement]:
    with torch.no_grad():
        numbers = (metric or Marginals(reference_samples=3000)).measure(trial)
    return {number.metric: number for number in numbers}


@dataclass(frozen=True)
class Exact(Predictor[None]):
    """Exact samples of p_t at each time: of the default mixture, whatever x is."""

    name: ClassVar[str] = "exact"
    reference: ClassVar[str] = "none"
    order: ClassVar[int] = 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        z, u = problem.normal(), problem.uniform()[:, 0].contiguous()
        means = torch.tensor([[-1.0, -0.5], [0.8, 0.9], [0.6, -1.0]]).to(x)
        stds = torch.tensor([0.2, 0.35, 0.1]).to(x)
        which = torch.bucketize(u, torch.tensor([0.5, 0.8]).to(u))
        clean = means[which] + stds[which, None] * z
        return then.alpha * clean + then.sigma * problem.normal(), None


def test_exact_marginals_are_found_exact() -> None:
    """Over seeds, the excess in standard deviations is of mean 0 and about t-distributed."""
    excess = []
    for seed in range(30):
        trial = _trial(Exact(), 4, samples=300, seed=seed)
        found = measure_marginals(
            trial, replace(YARDSTICK, samples=300), CountedDenoiser(trial.model.denoiser)
        )
        excess += [marginal.excess for marginal in found]
    values = np.array(excess)
    # Those of one seed share their exact samples, so that 120 values count as some 30.
    assert abs(values.mean()) < 4 / math.sqrt(30)
    assert 0.6 < values.std() < 1.7
    assert np.quantile(values, 0.99) < 5


@pytest.mark.parametrize("name", ["ancestral", "dpmpp_2m"])
def test_fine_sde_and_ode_share_the_exact_marginals(name: str) -> None:
    found = _measure(_trial(stepper_of(name), 200))
    assert found["marginals"].value < 4


@dataclass(frozen=True)
class Quiet(Predictor[None]):
    """Ancestral steps that forget their noise: they have no right variance on the way."""

    name: ClassVar[str] = "quiet"
    reference: ClassVar[str] = "none"
    order: ClassVar[int] = 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        ratio = (then.s / now.s) ** 2
        d = problem.denoise(x, now)
        return then.alpha * (d + ratio * (x / now.alpha - d)), None


@pytest.mark.parametrize(("stepper", "steps"), [(Quiet(), 40), (stepper_of("ancestral"), 4)])
def test_wrong_marginals_are_found(stepper: Any, steps: int) -> None:
    assert _measure(_trial(stepper, steps))["marginals"].value > 10


@pytest.mark.parametrize(
    "sampler",
    [
        Sampler(stepper_of("dpmpp_2m", lower_order_final=True)),
        Sampler(stepper_of("ancestral")),
        Sampler(stepper_of("reverse_diffusion"), Langevin()),
        Sampler(stepper_of("heun")),
    ],
    ids=["multistep", "sde", "corrector", "two_stage"],
)
def test_the_last_state_is_the_cells_own_sample(sampler: Sampler) -> None:
    """The same grid, steps and noise: denoised at the end, the states are the samples."""
    trial = replace(_trial(sampler.stepper, 12, samples=150), sampler=sampler)
    counted = CountedDenoiser(trial.model.denoiser)
    last = trial.times[-1]
    with torch.no_grad():
        (z,) = states(trial, trial.times, [12], counted).values()
        s = torch.tensor(last.s, dtype=torch.float64)
        mine = trial.model.denoiser(z * math.hypot(1, last.s), s)
        batches = generate(trial.process, counted, trial.sampler, trial.times, trial.draw)
        torch.testing.assert_close(mine, torch.cat([batch.x for batch in batches]))


def test_states_on_the_way_do_not_depend_on_the_batch() -> None:
    trial = _trial(stepper_of("ancestral"), 6, samples=150)
    small = replace(trial, draw=replace(trial.draw, batch=64))
    with torch.no_grad():
        one, other = (
            states(t, t.times, [2, 6], CountedDenoiser(t.model.denoiser)) for t in (trial, small)
        )
    for index in (2, 6):
        torch.testing.assert_close(one[index], other[index])


@pytest.mark.parametrize(("steps", "levels"), [(20, 5), (7, 3), (3, 5), (1, 5)])
def test_levels_are_times_of_the_grid_evenly_in_steps(steps: int, levels: int) -> None:
    trial = _trial(stepper_of("ddim"), steps, samples=64)
    yardstick = replace(YARDSTICK, levels=levels, samples=64, repeats=2)
    with torch.no_grad():
        found = measure_marginals(trial, yardstick, CountedDenoiser(trial.model.denoiser))
    places = [list(trial.times).index(marginal.time) for marginal in found]
    assert places == sorted(set(places))
    assert places[-1] == steps
    assert 0 not in places
    for place, marginal in zip(places, found, strict=True):
        assert abs(place / steps - marginal.share) <= 0.5 / steps + 1e-9


def test_it_says_what_it_costs() -> None:
    """Every step of the way once, whatever the number of levels; no final denoise."""
    metric = Marginals(levels=3, samples=100, reference_samples=500, repeats=2)
    found = _measure(_trial(stepper_of("heun"), 10, samples=300), metric)
    assert found["marginals"].nfe == 20
    assert all(m.nfe == 0 for name, m in found.items() if name != "marginals")
    assert {m.n for m in found.values()} == {100}


def test_a_solver_that_chooses_its_steps_is_stopped_on_the_way() -> None:
    for name in ("dopri5", "dpm_adaptive_23"):
        trial = _trial(stepper_of(name, rtol=1e-3), 1, samples=256)
        found = _measure(trial)
        assert set(found) >= {"marginal_swd_20", "marginal_swd_80", "marginal_swd_100"}
        assert found["marginals"].value < 4
        assert found["marginals"].nfe > 10


def test_names_and_roles() -> None:
    found = _measure(_trial(stepper_of("ddim"), 20))
    assert found["marginals"].role == "quality"
    for share in (20, 40, 60, 80, 100):
        number, exact = found[f"marginal_swd_{share}"], found[f"marginal_swd_{share}_exact"]
        assert (number.role, number.belongs_to) == ("diagnostic", "marginals")
        assert (exact.role, exact.belongs_to) == ("exact", number.metric)
        assert number.std_error is not None
        excess = (number.value - exact.value) / (number.std_error * math.sqrt(1 + 1 / 20))
        assert excess <= found["marginals"].value + 1e-9
        assert " s = " in number.note


def test_in_one_dimension_the_distance_is_wassersteins() -> None:
    """A shift by c: of all samples from their reference, in units of (1 + s^2)^(1/2)."""
    model = model_of("gaussian_mixture", means=[[0.0]], stds=[1.0], weights=None)
    trial = replace(
        _trial(stepper_of("ddim"), 1, samples=4000), model=model.load(CPU, torch.float64)
    )
    trial = replace(trial, draw=replace(trial.draw, shape=(1,)))
    yardstick = replace(YARDSTICK, levels=1, samples=4000, reference_samples=20_000)
    with torch.no_grad():
        (found,) = measure_marginals(trial, yardstick, CountedDenoiser(trial.model.denoiser))
    # One step of DDIM from s_T: y = D + (s / s_T) (y_T - D) with D = y_T / (1 + s_T^2).
    high, low = trial.times[0].s, trial.times[-1].s
    scale = (1 / (1 + high**2) + low / high * high**2 / (1 + high**2)) * high
    wanted = abs(scale - math.hypot(1, low)) / math.hypot(1, low) * math.sqrt(2 / math.pi)
    assert found.distance == pytest.approx(wanted, rel=0.05)


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="needs a model with a closed-form distribution"):
        _measure(_trial(stepper_of("ddim"), 2, "digits_mlp", 64))
    with pytest.raises(ParameterError, match=r"levels must lie in 1\.\.100"):
        build(Marginals, {"levels": 0})
