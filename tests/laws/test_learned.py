"""Methods that are learned: what they start from, what they gain, and what they must not see."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    CountedDenoiser,
    Draw,
    Problem,
    Stepper,
    Time,
    UnsupportedError,
    calibrate,
    karras_times,
)
from bench.core.sample import Sampler
from bench.testing import LineMixture, grid_of, ode_solver_of, process_of, stepper_of
from bench_plugins.learned.least_squares import levenberg_marquardt
from bench_plugins.learned.stepper import LearnedSolver, minimise

S_MIN, S_MAX = 0.02, 40.0
MIXTURE = LineMixture()
GRIDS, SOLVERS = ("oss", "ld3"), ("s4s", "amed", "epd")


def _cell(steps: int, process: str = "vp", seed: int = 0, denoise: Any = None) -> Calibration:
    model = CountedDenoiser(denoise or MIXTURE.denoise)
    draw = Draw(seed, 5, 5, (1,), torch.float64)
    return Calibration(process_of(process), model, S_MIN, S_MAX, steps, draw)


def _calibrate(
    grid: str, stepper: Stepper[Any], cell: Calibration, **parameters: Any
) -> tuple[Stepper[Any], tuple[Time, ...]]:
    """As the host does it."""
    with torch.no_grad():
        tuned, times = calibrate(Sampler(stepper), grid_of(grid, **parameters), cell)
    return tuned.stepper, times


def _error(stepper: Stepper[Any], times: tuple[Time, ...], process: str = "vp") -> float:
    """Root mean square distance from the exact flow, in quantiles: draws that no start is."""
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    start, exact = MIXTURE.quantile(u, S_MAX), MIXTURE.quantile(u, S_MIN)
    problem = Problem(process_of(process), MIXTURE.denoise)
    end = stepper.solve(problem, start * times[0].alpha, times) / times[-1].alpha
    return float((end - exact).square().mean().sqrt())


@pytest.mark.parametrize("solver", ["ddim", "dpmpp_2m", "edm_heun"])
@pytest.mark.parametrize("chooser", GRIDS)
@pytest.mark.parametrize("steps", [6, 8])
def test_grids_gain_for_the_solver_that_they_are_made_for(
    chooser: str, solver: str, steps: int
) -> None:
    stepper = ode_solver_of(solver)
    _, karras = _calibrate("karras", stepper, _cell(steps))
    _, times = _calibrate(chooser, stepper, _cell(steps))
    assert _error(stepper, times) < 0.75 * _error(stepper, karras)


@pytest.mark.parametrize("process_name", ["vp", "edm"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", [3, 6])
def test_solvers_gain_on_the_method_that_they_start_from(
    solver: str, steps: int, process_name: str
) -> None:
    stepper = ode_solver_of(solver)
    tuned, times = _calibrate("karras", stepper, _cell(steps, process_name))
    before, after = (_error(one, times, process_name) for one in (stepper, tuned))
    assert after < 0.6 * before


TWINS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    *(("s4s", {"highest": k}, "ipndm_v", {"highest": k}) for k in (1, 2, 3, 4)),
    ("s4s", {"base": "dpmpp", "highest": 1}, "ddim", {}),
    ("s4s", {"base": "dpmpp", "highest": 2}, "res_multistep", {}),
    ("amed", {}, "dpm_solver_2", {}),
    ("epd", {"points": 1}, "dpm_solver_2", {}),
]


@pytest.mark.parametrize(("ours", "given", "twin", "theirs"), TWINS)
def test_uncalibrated_they_are_known_methods(
    ours: str, given: dict[str, Any], twin: str, theirs: dict[str, Any]
) -> None:
    times = karras_times(process_of("vp"), 9, S_MIN, S_MAX)
    problem = Problem(process_of("vp"), MIXTURE.denoise)
    x = torch.linspace(-40, 40, 7, dtype=torch.float64)[:, None] * times[0].alpha
    one, other = (
        ode_solver_of(name, **parameters).solve(problem, x, times)
        for name, parameters in ((ours, given), (twin, theirs))
    )
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_oss_takes_the_best_path_that_ddim_can_take() -> None:
    """Two steps: the dynamic programme is exhaustive there."""
    cell, ddim = _cell(2), ode_solver_of("ddim")
    fine = karras_times(cell.process, 9, S_MIN, S_MAX)
    ((problem, x),) = cell.starts(6)
    teacher = ode_solver_of("ipndm_v").solve(problem, x, fine)
    gaps = [
        float((ddim.solve(problem, x, (fine[0], middle, fine[-1])) - teacher).square().sum())
        for middle in fine[1:-1]
    ]
    _, times = _calibrate("oss", ddim, _cell(2), fine_steps=9, samples=6)
    assert times[1] == fine[1 + gaps.index(min(gaps))]


@pytest.mark.parametrize(("solver", "per_state"), [("ddim", 1), ("dpmpp_2m", 1)])
def test_oss_evaluates_each_state_once(solver: str, per_state: int) -> None:
    """Of 10 fine points: the teacher's 10 steps; from 1 state, then from 8, from 8 again."""
    cell = _cell(3)
    _calibrate("oss", ode_solver_of(solver), cell, fine_steps=10, samples=4)
    assert cell.model.evaluations.rows == 4 * (10 + per_state * (1 + 8 + 8))


@pytest.mark.parametrize("solver", SOLVERS)
def test_gradients_are_counted(solver: str) -> None:
    cell, stepper = _cell(3), ode_solver_of(solver, samples=8, fine_steps=10)
    _calibrate("karras", stepper, cell)
    spent = cell.model.evaluations
    assert spent.vjp_rows > 0
    runs, rest = divmod(spent.rows - 8 * 10, 8 * stepper.cost(3))
    assert (rest, runs >= 20) == (0, True)
    # The first evaluation is made of the start, which no learned number moves.
    assert spent.vjp_rows == 8 * runs * (stepper.cost(3) - 1)


def _numbers(solver: str, cell: Calibration) -> Any:
    tuned, _ = _calibrate("karras", ode_solver_of(solver, samples=20), cell)
    assert isinstance(tuned, LearnedSolver)
    return tuned.changes


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_learned_depends_on_seed_and_starts_alone(solver: str) -> None:
    """Not on the number of samples or their batches, and never on the samples' own noise."""
    cell = _cell(4)
    more = replace(cell, draw=replace(cell.draw, samples=1000, batch=256))
    assert _numbers(solver, cell) == _numbers(solver, more)
    assert _numbers(solver, cell) != _numbers(solver, _cell(4, seed=1))


@pytest.mark.parametrize("method", [*GRIDS, *SOLVERS])
def test_the_draws_that_are_judged_are_never_seen(method: str) -> None:
    """Every state that the network is asked at s_max is a start of the calibration's."""
    seen: list[Tensor] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        if float(s.detach()) > 0.999 * S_MAX:
            seen.append(y.detach())
        return MIXTURE.denoise(y, s)

    cell = _cell(3, denoise=denoise)
    (grid, stepper) = (
        (method, ode_solver_of("ddim")) if method in GRIDS else ("karras", ode_solver_of(method))
    )
    _calibrate(grid, stepper, cell)
    start = cell.process.at_s(S_MAX)
    own = torch.cat([x / start.alpha for _, x in cell.starts(128)]).flatten()
    judged = cell.draw.prior(start, 0, cell.draw.samples).flatten() / start.alpha
    asked = torch.cat(seen).flatten().unique()
    assert bool(torch.isclose(asked[:, None], own[None], rtol=1e-9).any(1).all())
    assert not bool(torch.isclose(asked[:, None], judged[None], rtol=1e-9).any())


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_calibrated_solver_runs_on_its_own_grid_alone(solver: str) -> None:
    tuned, times = _calibrate("karras", ode_solver_of(solver, samples=8), _cell(4))
    others = karras_times(process_of("vp"), 5, S_MIN, S_MAX)
    for elsewhere in (times[::-1], others):
        with pytest.raises(UnsupportedError, match=f"solver '{solver}': its numbers were learned"):
            tuned.start(elsewhere)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_step_that_skips_points_is_that_of_the_method_before(solver: str) -> None:
    stepper = ode_solver_of(solver, samples=8)
    tuned, times = _calibrate("karras", stepper, _cell(4))
    problem = Problem(process_of("vp"), MIXTURE.denoise)
    x = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    for skipped, same in (((times[0], times[2]), True), (times[:2], False)):
        one, other = (each.solve(problem, x, skipped) for each in (stepper, tuned))
        assert torch.equal(one, other) is same


@pytest.mark.parametrize("chooser", GRIDS)
def test_solvers_that_draw_noise_are_refused(chooser: str) -> None:
    with pytest.raises(UnsupportedError, match="'ancestral' draws noise"):
        _calibrate(chooser, stepper_of("ancestral"), _cell(4))


@pytest.mark.parametrize("method", [*GRIDS, *SOLVERS])
def test_a_teacher_that_diverges_is_told(method: str) -> None:
    cell = _cell(4, denoise=lambda y, s: y * float("nan"))
    grid, solver = (method, "ddim") if method in GRIDS else ("karras", method)
    with pytest.raises(BenchError, match="not finite"):
        _calibrate(grid, ode_solver_of(solver), cell)


def test_ld3_with_a_radius_learns_by_gradients_too() -> None:
    cell = _cell(5)
    _, times = _calibrate("ld3", ode_solver_of("ddim"), cell, radius=0.01)
    assert cell.model.evaluations.vjp_rows == 6 * 64 * 5
    assert all(now.s > then.s for now, then in itertools.pairwise(times))


def test_least_squares_find_the_solution_of_a_linear_and_of_a_curved_problem() -> None:
    matrix = torch.tensor([[3.0, 1.0], [1.0, 2.0], [0.5, -1.0]], dtype=torch.float64)
    truth = torch.tensor([0.7, -0.4], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    linear = levenberg_marquardt(lambda v: matrix @ (v - truth), zero, 30)
    torch.testing.assert_close(linear, truth, rtol=0, atol=1e-6)
    curved = levenberg_marquardt(lambda v: matrix @ (v.exp() - truth.exp()), zero, 30)
    torch.testing.assert_close(curved, truth, rtol=0, atol=1e-6)


def test_the_best_point_met_is_kept() -> None:
    start = torch.tensor([2.0, -1.0], dtype=torch.float64)
    found = minimise(lambda v: (v - 1).square().sum(), start, 20)
    torch.testing.assert_close(found, torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-6)
    broken = minimise(lambda v: v.sum() * float("nan"), start, 5)
    assert torch.equal(broken, start)


WRONG = [
    *((name, {"samples": 0}, "samples must") for name in SOLVERS),
    *((name, {"iterations": 0}, "iterations must") for name in SOLVERS),
    ("s4s", {"highest": 5}, "highest must"),
    ("epd", {"points": 9}, "points must"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), WRONG)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        ode_solver_of(name, **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ld3", {"radius": 1.0}, "radius must"),
        ("ld3", {"iterations": 0}, "iterations must"),
        ("oss", {"fine_steps": 0}, "fine_steps must"),
    ],
)
def test_wrong_parameters_of_grids_are_refused(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(BenchError, match=message):
        grid_of(name, **parameters)


@pytest.mark.parametrize("name", GRIDS)
def test_grids_are_refused_uncalibrated(name: str) -> None:
    with pytest.raises(BenchError, match="must be calibrated first"):
        grid_of(name).times(process_of("vp"), 4, S_MIN, S_MAX)
