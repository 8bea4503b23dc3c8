"""What a step costs beside the network, counted operator by operator.

The model is free: it hands out a tensor made beforehand. The table says how many full-size
tensors a step may allocate and how many kernels it may launch over full-size tensors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.api import (
    NoiseProcess,
    NoiseStream,
    OdeSolver,
    Predictor,
    Problem,
    Sampler,
    Stepper,
    TimeGrid,
)
from bench.registry import Kind, load_registry

SHAPE = (8, 3, 4, 4)

# Solver: (allocations, kernels) per step where alpha = 1, and the same elsewhere, where every
# evaluation adds x / alpha and a fused combination may become two kernels.
#
# ddim      lerp(x, D)                                 | x / alpha, a x + b D
# dpmpp_2m  a x + b D + c D'                           | x / alpha, the same
# edm_heun  lerp(x, D), a x + b D + c D'               | twice x / alpha, a x + b D, the same
# euler     velocity a x + b D, x + dt k               | x / alpha, the same
# heun      2 velocities, 1 stage, x + b1 k1 + b2 k2   | twice x / alpha, the same
# rk4       4 velocities, 3 stages, sum of 5 terms     | 4 times x / alpha, the same
MOST: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "ddim": ((1, 1), (2, 3)),
    "dpmpp_2m": ((1, 3), (2, 4)),
    "edm_heun": ((2, 4), (4, 7)),
    "euler": ((2, 4), (3, 5)),
    "heun": ((4, 9), (6, 11)),
    "rk4": ((8, 19), (12, 23)),
}

SYNCS = ("_local_scalar_dense", "item", "nonzero", "is_nonzero", "equal", "unique")
DRAWS = ("rand", "normal", "bernoulli", "multinomial", "uniform_", "exponential_")


class Ledger(TorchDispatchMode):
    """Counts the operators that touch full-size tensors."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self.allocations = 0
        self.kernels = 0
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.names.append(str(func))
        full = [t for t in tree_leaves(result) if self._full(t)]
        inputs = [t for t in tree_leaves((args, kwargs or {})) if isinstance(t, Tensor)]
        known = {t.untyped_storage().data_ptr() for t in inputs}
        self.allocations += sum(t.untyped_storage().data_ptr() not in known for t in full)
        if full and not func.is_view:
            self.kernels += 1
        return result

    def _full(self, value: object) -> bool:
        return isinstance(value, Tensor) and value.numel() >= self._size

    def called(self, fragments: Iterable[str]) -> list[str]:
        """The operators whose names contain one of ``fragments``."""
        return [name for name in self.names if any(f in name for f in fragments)]


class CountedDraws:
    """Stands in for a noise stream: the same tensor every time, and how often it was asked."""

    def __init__(self) -> None:
        self.noise = torch.ones(SHAPE)
        self.count = 0

    def normal(self) -> Tensor:
        self.count += 1
        return self.noise


def _record(
    stepper: Stepper[Any], process: NoiseProcess, steps: int
) -> tuple[Ledger, CountedDraws]:
    grid = load_registry().get("karras", Kind.GRID).cls()
    assert isinstance(grid, TimeGrid)
    times = grid.times(process, steps, 0.05, 20.0)
    d, x, noise = torch.zeros(SHAPE), torch.ones(SHAPE), CountedDraws()
    problem = Problem(process, lambda y, s: d, cast(NoiseStream, noise))
    sampler = Sampler(stepper, finish=False)
    sampler.run(problem, x, times)  # fills the caches of the times between grid points
    noise.count = 0
    with Ledger(x.numel()) as ledger:
        sampler.run(problem, x, times)
    return ledger, noise


def _per_step(stepper: Stepper[Any], process: NoiseProcess) -> tuple[float, float]:
    """Allocations and kernels of a step in the middle of a run."""
    few, many = _record(stepper, process, 4)[0], _record(stepper, process, 12)[0]
    return (many.allocations - few.allocations) / 8, (many.kernels - few.kernels) / 8


@pytest.mark.parametrize("name", MOST)
@pytest.mark.parametrize(("process_name", "scaled"), [("edm", 0), ("ve", 0), ("vp", 1)])
def test_steps_allocate_and_launch_no_more_than_their_formula(
    name: str, process_name: str, scaled: int
) -> None:
    solver: Any = load_registry().get(name, Kind.ODE_SOLVER).cls()
    process: Any = load_registry().get(process_name, Kind.PROCESS).cls()
    allocations, kernels = _per_step(solver, process)
    assert allocations <= MOST[name][scaled][0]
    assert kernels <= MOST[name][scaled][1]
    assert kernels > 0  # the ledger does see the step


def test_the_ledger_sees_what_a_careless_step_does() -> None:
    x, d = torch.ones(SHAPE), torch.zeros(SHAPE)
    with Ledger(x.numel()) as ledger:
        y = 0.5 * x + 0.25 * d
        y.add_(torch.randn_like(x))
        float(y.sum())
    assert ledger.allocations == 4
    assert ledger.kernels == 5
    assert len(ledger.called(DRAWS)) == 1
    assert len(ledger.called(SYNCS)) == 1


def test_ode_steps_draw_nothing_and_never_wait_for_the_device(
    fixed_solver: OdeSolver[Any], process: NoiseProcess
) -> None:
    ledger, noise = _record(fixed_solver, process, 6)
    assert ledger.called(DRAWS) == []
    assert ledger.called(SYNCS) == []
    assert noise.count == 0


# Draws per step, where it is not one.
DRAWN: dict[str, int] = {"function": 0, "dpmpp_sde": 2, "seeds_2": 2, "seeds_3": 3}
# Draws of a whole run, where they do not grow with its steps.
DRAWN_IN_ALL: dict[str, int] = {"restart": 2}


def test_predictors_draw_from_their_stream_alone(
    every_predictor: Predictor[Any], process: NoiseProcess
) -> None:
    name = every_predictor.name
    for steps in (1, 6):
        ledger, noise = _record(every_predictor, process, steps)
        assert noise.count == DRAWN_IN_ALL.get(name, DRAWN.get(name, 1) * steps)
        assert ledger.called(DRAWS) == []  # all noise comes from the stream
        assert ledger.called(SYNCS) == []


@pytest.mark.parametrize("predictor_name", ["euler_maruyama", "reverse_diffusion", "ancestral"])
def test_predictors_allocate_one_tensor_a_step(predictor_name: str) -> None:
    """x' = a x + b D + c z, and x / alpha where alpha is not 1."""
    predictor: Any = load_registry().get(predictor_name, Kind.PREDICTOR).cls()
    for name, most in (("edm", 1), ("vp", 2)):
        process: Any = load_registry().get(name, Kind.PROCESS).cls()
        assert _per_step(predictor, process)[0] <= most
