"""UniPC against diffusers, against DDIM and in its orders."""

from __future__ import annotations

import itertools
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError, NoiseProcess, OdeSolver, Problem
from bench.registry import Kind, load_registry
from bench.testing import measured_nfe, measured_order, ode_solver_of, process_of
from bench_plugins.models.closed_form import Mixture

# diffusers builds numpy arrays from tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def _times(process: NoiseProcess, steps: int, grid: str = "karras") -> Any:
    plugin: Any = load_registry().get(grid, Kind.GRID).cls()
    return plugin.times(process, steps, 0.05, 20.0)


@pytest.mark.parametrize("lower_order_final", [False, True])
@pytest.mark.parametrize("predict_eps", [False, True])
@pytest.mark.parametrize("bh1", [False, True])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_unipc_is_that_of_diffusers(
    plane: Mixture, p: int, bh1: bool, predict_eps: bool, lower_order_final: bool
) -> None:
    scheduler: Any = diffusers.UniPCMultistepScheduler(
        solver_order=p,
        solver_type="bh1" if bh1 else "bh2",
        predict_x0=not predict_eps,
        lower_order_final=lower_order_final,
        prediction_type="sample",
        use_karras_sigmas=True,
    )
    scheduler.set_timesteps(13)
    scheduler.sigmas = scheduler.sigmas.double()
    scheduler.timesteps = scheduler.timesteps[:-1]  # the last step goes to zero
    process = process_of("vp")
    problem = Problem(process, plane.denoise)
    times = [process.at_s(s) for s in scheduler.sigmas[:-1].tolist()]
    solver = ode_solver_of(
        "unipc", p=p, bh1=bh1, predict_eps=predict_eps, lower_order_final=lower_order_final
    )
    start = np.random.default_rng(2).standard_normal((32, 2)) * times[0].sigma
    ours = theirs = torch.from_numpy(start)
    state = solver.start(times)
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        ours, state = solver.step(problem, ours, now, then, state)
        output = problem.denoise(theirs, now)
        theirs = scheduler.step(output, scheduler.timesteps[i], theirs).prev_sample
        scale = float(theirs.abs().max())
        assert float((ours - theirs).abs().max()) <= 1e-9 * scale, f"step {i}"
    assert i == 11


def _end(solver: OdeSolver[Any], process: NoiseProcess, plane: Mixture, times: Any) -> Tensor:
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].sigma
    return solver.solve(Problem(process, plane.denoise), x, times)


@pytest.mark.parametrize("predict_eps", [False, True])
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_unip_1_is_ddim(plane: Mixture, process_name: str, predict_eps: bool) -> None:
    process = process_of(process_name)
    times = _times(process, 7)
    for grid in (times, times[::-1]):
        unip = ode_solver_of("unipc", p=1, corrector=False, predict_eps=predict_eps)
        ours = _end(unip, process, plane, grid)
        torch.testing.assert_close(ours, _end(ode_solver_of("ddim"), process, plane, grid))


@pytest.mark.parametrize("corrected", [False, True])
def test_b_of_h_cancels_in_systems_of_two_equations_and_more(
    plane: Mixture, corrected: bool
) -> None:
    """What is left of it is the second step, where the polynomials have two nodes."""
    process = process_of("vp")
    times = _times(process, 9)
    problem = Problem(process, plane.denoise)
    first, second = (
        ode_solver_of("unipc", p=3, bh1=bh1, corrector=corrected) for bh1 in (False, True)
    )
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2)))
    state = first.start(times)
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        other, _ = second.step(problem, x, now, then, state)
        x, state = first.step(problem, x, now, then, state)
        assert torch.equal(x, other) == (i != 1)


@pytest.mark.parametrize("predict_eps", [False, True])
def test_the_corrector_takes_the_error_to_the_next_order(predict_eps: bool) -> None:
    for p in (1, 2):
        for bh1 in (False, True):
            pair = [
                measured_order(solver, process, grid, (40, 80, 160))
                for corrector, process, grid in ((False, "vp", "karras"), (True, "edm", "log_snr"))
                for solver in [
                    ode_solver_of(
                        "unipc", p=p, bh1=bh1, predict_eps=predict_eps, corrector=corrector
                    )
                ]
            ]
            assert pair == pytest.approx([p, p + 1], abs=0.1)


@pytest.mark.parametrize("grid_name", ["karras", "log_snr"])
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_unipc_3_samples_at_order_four(process_name: str, grid_name: str) -> None:
    """The start's error of order 3 lies below the others where much noise is left."""
    slope = measured_order(ode_solver_of("unipc", p=3), process_name, grid_name, (40, 80, 160))
    assert slope > 3.9


def test_lower_order_final_costs_unipc_3_its_order() -> None:
    solver = ode_solver_of("unipc", p=3, lower_order_final=True)
    for grid in ("karras", "log_snr"):
        assert solver.order - 0.1 < measured_order(solver, "vp", grid, (40, 80, 160)) < 2.5


def test_what_another_corrector_does_to_x_remains() -> None:
    """A shift of x between two steps, where D does not depend on x, reaches the end."""
    process = process_of("vp")
    times = _times(process, 4)
    problem = Problem(process, lambda y, s: torch.full_like(y, float(s)))
    ends = []
    for shift in (0.0, 0.5):
        solver = ode_solver_of("unipc")
        x, state = torch.zeros(1, 1, dtype=torch.float64), solver.start(times)
        for now, then in itertools.pairwise(times):
            x, state = solver.step(problem, x, now, then, state)
            x = x + shift * then.sigma
        ends.append(float(x) / times[-1].sigma)
    assert ends[1] - ends[0] == pytest.approx(4 * 0.5)


@pytest.mark.parametrize("parameters", [{"p": 1}, {"p": 3}, {"p": 4}, {"corrector": False}])
def test_every_variant_costs_one_evaluation_a_step(parameters: dict[str, object]) -> None:
    for steps in (1, 2, 5, 8):
        solver = ode_solver_of("unipc", **parameters)
        assert measured_nfe(solver, steps) == solver.cost(steps) == steps


@pytest.mark.parametrize("p", [0, 5])
def test_p_outside_its_range_is_refused(p: int) -> None:
    with pytest.raises(BenchError, match="p must lie between 1 and 4"):
        ode_solver_of("unipc", p=p)
