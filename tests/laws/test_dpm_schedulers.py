"""DPM-Solvers against diffusers' schedulers, step by step, on the schedulers' own levels.

Both sides start from one x_T and see one denoiser. The multistep scheduler works in float32 and is
compared to 1e-5 of the largest entry; the singlestep one is given float64 levels, to 1e-9.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import NoiseProcess, OdeSolver, Problem, Time
from bench.registry import Kind, load_registry
from bench.testing import ode_solver_of
from bench_plugins.models.closed_form import Mixture

pytestmark = [
    # diffusers builds numpy arrays from tensors in a way that numpy 2 deprecates,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # and calls DPM-Solver itself deprecated, in favour of DPM-Solver++.
    pytest.mark.filterwarnings("ignore:.*algorithm_type.*deprecated:FutureWarning"),
]

schedulers: Any = diffusers
STEPS = 12  # below 15, where diffusers' lower_order_final begins


def _vp() -> NoiseProcess:
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    return process


def _path(
    solver: OdeSolver[Any], problem: Problem, x: Tensor, times: Sequence[Time]
) -> list[Tensor]:
    """x after each step."""
    state, path = solver.start(times), []
    for now, then in pairwise(times):
        x, state = solver.step(problem, x, now, then, state)
        path.append(x)
    return path


def _scheduler_path(
    scheduler: Any,
    denoise: Callable[[Tensor, int], Tensor],
    x: Tensor,
    before: Callable[[int], None] = lambda i: None,
) -> list[Tensor]:
    path = []
    for i, moment in enumerate(scheduler.timesteps):
        before(i)
        x = scheduler.step(denoise(x, i), moment, x).prev_sample
        path.append(x)
    return path


def _assert_same(ours: list[Tensor], theirs: list[Tensor], tolerance: float) -> None:
    assert len(ours) == len(theirs) >= 4
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert float((a - b).abs().max()) <= tolerance * float(b.abs().max()), f"step {i}"


@pytest.mark.parametrize("spacing", ["linspace", "trailing"])
@pytest.mark.parametrize("lower_order_final", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "order", "name", "parameters"),
    [
        ("dpmsolver++", 2, "dpmpp_2m", {}),
        ("dpmsolver++", 3, "dpmpp_3m", {}),
        ("dpmsolver", 1, "dpm_solver_multistep", {"highest": 1}),
        ("dpmsolver", 2, "dpm_solver_multistep", {"highest": 2}),
        ("dpmsolver", 3, "dpm_solver_multistep", {"highest": 3}),
    ],
)
def test_multistep_solvers_are_those_of_diffusers(
    plane: Mixture,
    algorithm: str,
    order: int,
    name: str,
    parameters: dict[str, object],
    lower_order_final: bool,
    spacing: str,
) -> None:
    scheduler: Any = schedulers.DPMSolverMultistepScheduler(
        algorithm_type=algorithm,
        solver_order=order,
        prediction_type="sample",
        final_sigmas_type="sigma_min",
        lower_order_final=lower_order_final,
        timestep_spacing=spacing,
    )
    scheduler.set_timesteps(STEPS)
    mixture, process = plane.to(torch.device("cpu"), torch.float32), _vp()
    times = [process.at_s(s) for s in scheduler.sigmas.double().tolist()]
    problem = Problem(process, mixture.denoise)
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))).float()
    solver = ode_solver_of(name, lower_order_final=lower_order_final, **parameters)
    theirs = _scheduler_path(scheduler, lambda x, i: problem.denoise(x, times[i]), x)
    _assert_same(_path(solver, problem, x, times), theirs, 1e-5)


def _singlestep(
    algorithm: str, order: int, kind: str, steps: int, levels: Tensor, lower_order_final: bool
) -> Any:
    scheduler: Any = schedulers.DPMSolverSinglestepScheduler(
        algorithm_type=algorithm,
        solver_order=order,
        solver_type=kind,
        prediction_type="sample",
        final_sigmas_type="sigma_min",
        lower_order_final=lower_order_final,
    )
    scheduler.set_timesteps(steps)
    scheduler.sigmas = levels
    return scheduler


def _start() -> Tensor:
    return torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2)))


@pytest.mark.parametrize(
    ("algorithm", "order", "name"),
    [
        ("dpmsolver", 2, "dpm_solver_2"),
        ("dpmsolver++", 2, "dpmpp_2s"),
        ("dpmsolver", 3, "dpm_solver_3"),
    ],
)
def test_singlestep_solvers_are_those_of_diffusers(
    plane: Mixture, algorithm: str, order: int, name: str
) -> None:
    """On levels of equal ratio the scheduler's points are ours and the stages between them."""
    count = 5
    levels = torch.logspace(1.5, -1.5, order * count + 1, dtype=torch.float64)
    scheduler = _singlestep(algorithm, order, "midpoint", order * count, levels, False)
    assert scheduler.order_list == list(range(1, order + 1)) * count

    def formula(i: int) -> None:
        # Algorithm 2 has the "heun" formula of order 2 for its stage, and ends with "midpoint".
        stage = order == 3 and i % 3 == 1
        scheduler.register_to_config(solver_type="heun" if stage else "midpoint")

    process = _vp()
    fine = [process.at_s(s) for s in levels.tolist()]
    problem = Problem(process, plane.denoise)
    theirs = _scheduler_path(scheduler, lambda x, i: problem.denoise(x, fine[i]), _start(), formula)
    ours = _path(ode_solver_of(name), problem, _start(), fine[::order])
    _assert_same(ours, theirs[order - 1 :: order], 1e-9)


@pytest.mark.parametrize("steps", [9, 10, 11, 12])
@pytest.mark.parametrize("spread", ["equal", "unequal"])
@pytest.mark.parametrize(
    ("algorithm", "name"), [("dpmsolver", "dpm_fast"), ("dpmsolver++", "dpmpp_fast")]
)
def test_fast_solvers_are_diffusers_singlestep_of_order_3(
    plane: Mixture, algorithm: str, name: str, spread: str, steps: int
) -> None:
    """Every step, those within a group included."""
    levels = torch.logspace(1.5, -1.5, steps + 1, dtype=torch.float64)
    if spread == "unequal":
        ends = 30.0 ** (1 / 7), 0.03 ** (1 / 7)
        levels = torch.linspace(*ends, steps + 1, dtype=torch.float64) ** 7
    scheduler = _singlestep(algorithm, 3, "heun", steps, levels, True)
    process = _vp()
    times = [process.at_s(s) for s in levels.tolist()]
    problem = Problem(process, plane.denoise)
    theirs = _scheduler_path(scheduler, lambda x, i: problem.denoise(x, times[i]), _start())
    _assert_same(_path(ode_solver_of(name), problem, _start(), times), theirs, 1e-9)
