"""Declared costs are what the counter measures, and budgets are spent in full."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    AdaptiveOdeSolver,
    BenchError,
    Corrector,
    CountedDenoiser,
    Draw,
    NoiseProcess,
    OdeSolver,
    Sampler,
    Stepper,
    TimeGrid,
    rows_of,
)
from bench.core.sample import generate
from bench.registry import Kind, load_registry


class Spy:
    """A denoiser that keeps its own count of rows and of calls."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        self.rows.append(y.shape[0])
        return y / (1 + rows_of(s, y) ** 2)


def _grid(process: NoiseProcess, steps: int) -> Any:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    return grid.times(process, steps, 0.05, 20.0)


def _process() -> NoiseProcess:
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    return process


def _measure(sampler: Sampler, steps: int, samples: int = 5) -> tuple[float, Spy]:
    spy = Spy()
    model = CountedDenoiser(spy)
    draw = Draw(seed=0, samples=samples, batch=samples, shape=(3,))
    list(generate(_process(), model, sampler, _grid(_process(), steps), draw))
    assert model.evaluations.rows == sum(spy.rows)
    return model.evaluations.nfe(samples), spy


@pytest.mark.parametrize("finish", [True, False])
def test_measured_cost_is_the_declared_one(fixed_stepper: Stepper[Any], finish: bool) -> None:
    sampler = Sampler(fixed_stepper, finish=finish)
    for steps in range(1, 13):
        nfe, _ = _measure(sampler, steps)
        assert nfe == sampler.cost(steps) == fixed_stepper.cost(steps) + finish


def test_measured_cost_with_a_corrector(fixed_stepper: Stepper[Any], corrector: Corrector) -> None:
    sampler = Sampler(fixed_stepper, corrector)
    for steps in range(1, 13):
        nfe, _ = _measure(sampler, steps)
        assert nfe == sampler.cost(steps)
        assert nfe == fixed_stepper.cost(steps) + steps * corrector.cost() + 1


@pytest.mark.parametrize("name", ["langevin", "annealed_langevin"])
def test_correctors_with_more_steps_cost_more(name: str) -> None:
    corrector = load_registry().get(name, Kind.CORRECTOR).cls(steps=3)  # type: ignore[call-arg]
    assert isinstance(corrector, Corrector)
    stepper: Any = load_registry().get("ancestral", Kind.PREDICTOR).cls()
    assert _measure(Sampler(stepper, corrector), 4)[0] == 4 + 4 * 3 + 1


@pytest.mark.parametrize("corrected", [False, True])
def test_budgets_are_spent_as_far_as_possible(fixed_stepper: Stepper[Any], corrected: bool) -> None:
    corrector: Any = load_registry().get("langevin", Kind.CORRECTOR).cls() if corrected else None
    for finish in (True, False):
        sampler = Sampler(fixed_stepper, corrector, finish=finish)
        for budget in range(1, 31):
            fitting = [n for n in range(1, 60) if sampler.cost(n) <= budget]
            if fitting:
                assert sampler.steps_for(budget) == max(fitting)
            else:
                with pytest.raises(BenchError, match=f"more than the budget of {budget}"):
                    sampler.steps_for(budget)


def test_edm_heun_costs_two_evaluations_a_step_less_one() -> None:
    """The paper's N steps to sigma = 0 are N - 1 steps here and the final denoise."""
    heun: Any = load_registry().get("edm_heun", Kind.ODE_SOLVER).cls()
    assert Sampler(heun).cost(18 - 1) == 2 * 18 - 1 == 35
    assert Sampler(heun).steps_for(35) == 17


def test_adaptive_solvers_are_counted(adaptive_solver: AdaptiveOdeSolver) -> None:
    assert Sampler(adaptive_solver).adaptive
    nfe, spy = _measure(Sampler(adaptive_solver), 1)
    assert nfe == sum(spy.rows) / 5 > 4
    if adaptive_solver.batch_coupled:  # else samples leave the batch when they have arrived
        assert set(spy.rows) == {5}


def test_fixed_solvers_are_not_adaptive(fixed_solver: OdeSolver[Any]) -> None:
    assert not Sampler(fixed_solver).adaptive


def test_concatenated_calls_can_not_hide() -> None:
    """Guidance that doubles the batch inside the counter's reach costs double."""
    model = CountedDenoiser(Spy())
    y = torch.zeros(5, 3)
    model(torch.cat([y, y]), torch.tensor(1.0))
    assert model.evaluations.nfe(5) == 2


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_the_network_sees_shards(count: int) -> None:
    spy = Spy()
    model = CountedDenoiser(spy)
    y = torch.arange(count, dtype=torch.float32)[:, None]
    levels = torch.linspace(0.5, 2, count)
    for s in (torch.tensor(0.7), levels):
        spy.rows.clear()
        torch.testing.assert_close(model(y, s), y / (1 + s.reshape(-1, 1) ** 2))
        assert spy.rows == [64] * (count // 64) + [count % 64] * (count % 64 > 0)
