"""Pseudo numerical methods against diffusers' schedulers, and where they coincide."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError, CountedDenoiser, History, NoiseProcess, OdeSolver, Problem, Time
from bench.testing import ode_solver_of, process_of
from bench_plugins.models.closed_form import Mixture

LEVELS = 1000


@lru_cache(maxsize=1)
def _log_alphas() -> Tensor:
    scheduler: Any = diffusers.PNDMScheduler()
    table: Tensor = 0.5 * scheduler.alphas_cumprod.double().log()
    return table


@dataclass(frozen=True)
class DiscreteVP(NoiseProcess):
    """DDPM's thousand levels, ln alpha linear between them; t counts levels."""

    name: ClassVar[str] = "discrete_vp"
    reference: ClassVar[str] = "Ho et al. 2020, arXiv:2006.11239"

    @property
    def t_min(self) -> float:
        return 0.0

    @property
    def t_max(self) -> float:
        return LEVELS - 1.0

    def _log_alpha(self, t: Tensor) -> Tensor:
        below = t.detach().floor().clamp(0, LEVELS - 2).long()
        table, share = _log_alphas(), t - below
        return table[below] * (1 - share) + table[below + 1] * share

    def alpha(self, t: Tensor) -> Tensor:
        return self._log_alpha(t).exp()

    def sigma(self, t: Tensor) -> Tensor:
        return (-torch.expm1(2 * self._log_alpha(t))).sqrt()

    def time_at(self, s: Tensor) -> Tensor:
        raise NotImplementedError


def _start(now: Time) -> Tensor:
    return torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * now.sigma


def _path(
    solver: OdeSolver[Any], problem: Problem, x: Tensor, times: Sequence[Time]
) -> list[Tensor]:
    """x at every point of the grid but the first."""
    state, path = solver.start(times), []
    for now, then in itertools.pairwise(times):
        x, state = solver.step(problem, x, now, then, state)
        path.append(x)
    return path


@pytest.mark.parametrize(
    ("name", "skip", "calls"), [("pndm", False, [4, 4, 4]), ("plms", True, [2])]
)
def test_is_pndm_of_diffusers(plane: Mixture, name: str, skip: bool, calls: list[int]) -> None:
    """``calls``: how many evaluations the scheduler wants for the first steps; then it is one."""
    scheduler: Any = diffusers.PNDMScheduler(skip_prk_steps=skip)
    scheduler.set_timesteps(20)  # 950, 900, ..., 0: the middles are levels too
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    process = DiscreteVP()
    times = [process.at(float(t)) for t in range(950, -1, -50)]
    problem = Problem(process, plane.denoise)
    theirs = x = _start(times[0])
    left = iter(scheduler.timesteps.tolist())
    for i, ours in enumerate(_path(ode_solver_of(name), problem, x, times)):
        for t in itertools.islice(left, calls[i] if i < len(calls) else 1):
            eps = problem.eps(theirs, process.at(float(t)))
            theirs = scheduler.step(eps, t, theirs).prev_sample
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10, msg=f"step {i}")
    assert list(left) == [0]  # its last step goes below the first level: our final denoise


def test_ipndm_is_that_of_diffusers(plane: Mixture) -> None:
    """Its network predicts v; its first level has alpha = 0 and its last sigma = 0."""
    scheduler: Any = diffusers.IPNDMScheduler()
    scheduler.set_timesteps(24)
    sigma = scheduler.betas.double()
    scheduler.betas, scheduler.alphas = sigma, (1 - sigma**2).sqrt()
    scheduler.set_begin_index(1)
    process = process_of("vp")
    levels = (sigma / scheduler.alphas)[1:-1]
    times = [process.at_s(s) for s in levels.tolist()]
    problem = Problem(process, plane.denoise)
    theirs = x = _start(times[0])
    for i, ours in enumerate(_path(ode_solver_of("ipndm"), problem, x, times)):
        d, now = problem.denoise(theirs, times[i]), times[i]
        v = now.alpha * (theirs - now.alpha * d) / now.sigma - now.sigma * d
        theirs = scheduler.step(v, scheduler.timesteps[i + 1], theirs).prev_sample
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10, msg=f"step {i}")
    assert len(times) == 23


@pytest.mark.parametrize("process_name", ["vp", "edm", "subvp"])
def test_ipndm_with_one_evaluation_is_ddim(plane: Mixture, process_name: str) -> None:
    process = process_of(process_name)
    times = [process.at_s(s) for s in (20.0, 7.0, 2.5, 1.1, 0.3, 0.1)]
    problem, x = Problem(process, plane.denoise), _start(times[0])
    expected = _path(ode_solver_of("ddim"), problem, x, times)
    for name in ("ipndm", "ipndm_v", "lms"):
        found = _path(ode_solver_of(name, highest=1), problem, x, times)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_plms_differs_from_ipndm_by_its_first_step_alone(plane: Mixture) -> None:
    """From the second step on both combine the same evaluations."""
    process = process_of("vp")
    times = [process.at_s(s) for s in (20.0, 7.0, 2.5, 1.1, 0.3, 0.1)]
    problem, x = Problem(process, plane.denoise), _start(times[0])
    plms, ipndm = ode_solver_of("plms"), ode_solver_of("ipndm")
    first, state = plms.step(problem, x, times[0], times[1], plms.start(times))
    other, _ = ipndm.step(problem, x, times[0], times[1], ipndm.start(times))
    assert float((first - other).abs().max()) > 1e-3
    second, after = plms.step(problem, first, times[1], times[2], state)
    found, same = ipndm.step(problem, first, times[1], times[2], state)
    torch.testing.assert_close(found, second, rtol=0, atol=0)
    assert isinstance(after, History)
    assert isinstance(same, History)
    assert len(after.past) == len(same.past) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ipndm", {1: 1, 2: 2, 10: 10}),
        ("plms", {1: 2, 2: 3, 10: 11}),
        ("pndm", {1: 4, 2: 8, 3: 12, 4: 13, 10: 19, 50: 59}),
    ],
)
def test_costs(plane: Mixture, name: str, expected: dict[int, int]) -> None:
    """N, N + 1, and N + 9 from three steps on."""
    process, solver = process_of("vp"), ode_solver_of(name)
    for steps, cost in expected.items():
        model = CountedDenoiser(plane.denoise)
        times = [process.at_s(s) for s in np.geomspace(20.0, 0.1, steps + 1).tolist()]
        _path(solver, Problem(process, model), _start(times[0]), times)
        assert model.evaluations.nfe(32) == solver.cost(steps) == cost


@pytest.mark.parametrize("name", ["ipndm", "ipndm_v", "lms"])
@pytest.mark.parametrize("highest", [0, 5])
def test_orders_out_of_range_are_refused(name: str, highest: int) -> None:
    with pytest.raises(BenchError, match="highest must lie between 1 and 4"):
        ode_solver_of(name, highest=highest)
