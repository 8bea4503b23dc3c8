"""DEIS against diffusers, the paper's integrals and the methods with which it coincides."""

from __future__ import annotations

import itertools
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from bench.api import BenchError, Evaluation, History, NoiseProcess, OdeSolver, Problem
from bench.registry import Kind, load_registry
from bench.testing import measured_nfe, measured_order, ode_solver_of, process_of
from bench_plugins.models.closed_form import Mixture

# diffusers builds numpy arrays from tensors, and takes numpy's logarithm of them, in ways that
# numpy 2 deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
]


def _times(process: NoiseProcess, steps: int, s_min: float = 0.05, s_max: float = 20.0) -> Any:
    plugin: Any = load_registry().get("karras", Kind.GRID).cls()
    return plugin.times(process, steps, s_min, s_max)


def _end(solver: OdeSolver[Any], process: NoiseProcess, plane: Mixture, times: Any) -> Tensor:
    """y at the last time."""
    y = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].s
    end = solver.solve(Problem(process, plane.denoise), y * times[0].alpha, times)
    result: Tensor = end / times[-1].alpha
    return result


@pytest.mark.parametrize("lower_order_final", [False, True])
@pytest.mark.parametrize("q", [0, 1, 2])
def test_tab_under_ve_is_deis_of_diffusers(plane: Mixture, q: int, lower_order_final: bool) -> None:
    """Its polynomials are in ln s, VE's time; it works in VP's coordinates, whose y is the same."""
    scheduler: Any = diffusers.DEISMultistepScheduler(
        solver_order=q + 1, lower_order_final=lower_order_final, prediction_type="sample"
    )
    scheduler.set_timesteps(12)
    scheduler.sigmas = scheduler.sigmas.double()
    vp, ve = process_of("vp"), process_of("ve")
    solver = ode_solver_of("deis_tab", q=q, lower_order_final=lower_order_final)
    levels = scheduler.sigmas.tolist()
    their_times, times = ([p.at_s(s) for s in levels] for p in (vp, ve))
    ours = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].s
    theirs, state = ours * their_times[0].alpha, solver.start(times)
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        ours, state = solver.step(Problem(ve, plane.denoise), ours, now, then, state)
        output = Problem(vp, plane.denoise).denoise(theirs, their_times[i])
        theirs = scheduler.step(output, scheduler.timesteps[i], theirs).prev_sample
        y = theirs / their_times[i + 1].alpha
        assert float((ours - y).abs().max()) <= 1e-9 * float(y.abs().max()), f"step {i}"
    assert i == 11


@pytest.mark.parametrize("q", [0, 1, 2, 3])
def test_rhoab_is_lms_of_diffusers(plane: Mixture, q: int) -> None:
    scheduler: Any = diffusers.LMSDiscreteScheduler(
        prediction_type="sample", use_karras_sigmas=True
    )
    scheduler.set_timesteps(12)
    scheduler.sigmas = scheduler.sigmas.double()
    process = process_of("edm")
    problem = Problem(process, plane.denoise)
    times = [process.at_s(s) for s in scheduler.sigmas[:-1].tolist()]  # the last goes to zero
    solver = ode_solver_of("deis_rhoab", q=q)
    ours = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].s
    theirs, state = ours, solver.start(times)
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        ours, state = solver.step(problem, ours, now, then, state)
        scheduler.is_scale_input_called = True
        output, moment = problem.denoise(theirs, now), scheduler.timesteps[i]
        theirs = scheduler.step(output, moment, theirs, order=q + 1).prev_sample
        assert float((ours - theirs).abs().max()) <= 1e-9 * float(theirs.abs().max()), f"step {i}"
    assert i == 10


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("steps", [6, 40])
@pytest.mark.parametrize("q", [1, 2, 3])
def test_tab_weights_are_the_papers_integrals(
    process: NoiseProcess, q: int, steps: int, back: bool
) -> None:
    """Of s'(t) l_j(t) over t, by scipy. The nodes' eps are unit vectors: x shows their weights."""
    times = _times(process, steps)[:: -1 if back else 1]
    for k in (q, steps - 1):
        now, then = times[k], times[k + 1]
        past = times[k - q : k + 1][::-1]
        unit = torch.eye(q + 1, dtype=torch.float64)[:, None]
        state = History(9, tuple(Evaluation(t, e) for t, e in zip(past[1:], unit[1:], strict=True)))
        problem = Problem(process, lambda y, s, unit=unit: y - s * unit[0])
        x, _ = ode_solver_of("deis_tab", q=q).step(problem, 0 * unit[0], now, then, state)

        def integrand(t: float, j: int, past: Any = past) -> float:
            here = process.at(t)
            others = [node.t for i, node in enumerate(past) if i != j]
            lagrange = np.prod([(t - other) / (past[j].t - other) for other in others])
            return float(here.s * here.g2 / (2 * here.sigma**2) * lagrange)

        exact = [quad(integrand, now.t, then.t, args=(j,), epsrel=1e-12)[0] for j in range(q + 1)]
        assert (x[0] / then.alpha).tolist() == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("name", ["deis_tab", "deis_rhoab"])
def test_a_constant_is_extrapolated_to_ddim(
    process: NoiseProcess, name: str, plane: Mixture
) -> None:
    for times in (_times(process, 7), _times(process, 7)[::-1], _times(process, 1, 0.002, 80.0)):
        ddim = _end(ode_solver_of("ddim"), process, plane, times)
        torch.testing.assert_close(_end(ode_solver_of(name, q=0), process, plane, times), ddim)


def test_tab_under_edm_is_rhoab_under_every_process(process: NoiseProcess, plane: Mixture) -> None:
    edm = process_of("edm")
    for q, final in itertools.product((1, 2, 3), (False, True)):
        tab = ode_solver_of("deis_tab", q=q, lower_order_final=final)
        rhoab = ode_solver_of("deis_rhoab", q=q, lower_order_final=final)
        expected = _end(tab, edm, plane, _times(edm, 9))
        found = _end(rhoab, process, plane, _times(process, 9))
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("stages", "other"), [(1, "ddim"), (2, "edm_heun")])
def test_rhork_is_a_known_method(
    process: NoiseProcess, stages: int, other: str, plane: Mixture
) -> None:
    times = _times(process, 7)
    for grid in (times, times[::-1]):
        ours = _end(ode_solver_of("deis_rhork", stages=stages), process, plane, grid)
        torch.testing.assert_close(ours, _end(ode_solver_of(other), process, plane, grid))


def test_rhork_of_four_stages_is_rk4_under_edm(process: NoiseProcess, plane: Mixture) -> None:
    """And so it is, under every process."""
    edm = process_of("edm")
    expected = _end(ode_solver_of("rk4"), edm, plane, _times(edm, 7))
    found = _end(ode_solver_of("deis_rhork", stages=4), process, plane, _times(process, 7))
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_rhork_has_the_order_and_the_cost_of_its_stages(stages: int) -> None:
    solver = ode_solver_of("deis_rhork", stages=stages)
    assert solver.order == stages
    for process_name, grid_name in (("vp", "karras"), ("edm", "log_snr")):
        slope = measured_order(solver, process_name, grid_name, (80, 120, 160))
        assert slope == pytest.approx(stages, abs=0.1)
    for steps in (1, 2, 5):
        assert measured_nfe(solver, steps) == solver.cost(steps) == stages * steps


@pytest.mark.parametrize("grid_name", ["karras", "log_snr"])
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_degree_three_samples_at_order_three(process_name: str, grid_name: str) -> None:
    """The start's error of order 2 lies below the others as long as steps are few."""
    for name in ("deis_tab", "deis_rhoab"):
        assert measured_order(ode_solver_of(name), process_name, grid_name, (20, 40, 80)) > 3


@pytest.mark.parametrize("lower_order_final", [False, True])
@pytest.mark.parametrize("q", [0, 1])
@pytest.mark.parametrize("name", ["deis_tab", "deis_rhoab"])
def test_low_degrees_have_the_order_they_claim(name: str, q: int, lower_order_final: bool) -> None:
    solver = ode_solver_of(name, q=q, lower_order_final=lower_order_final)
    assert solver.order == q + 1
    for grid_name in ("karras", "log_snr"):
        slope = measured_order(solver, "vp", grid_name, (80, 160, 320))
        assert slope == pytest.approx(q + 1, abs=0.1)


def test_lower_order_final_costs_degree_three_its_order() -> None:
    solver = ode_solver_of("deis_tab", lower_order_final=True)
    for grid_name in ("karras", "log_snr"):
        slope = measured_order(solver, "vp", grid_name, (40, 80, 160))
        assert (
            slope < measured_order(ode_solver_of("deis_tab"), "vp", grid_name, (40, 80, 160)) - 0.5
        )


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("deis_tab", {"q": 5}, "q must lie between 0 and 4"),
        ("deis_rhoab", {"q": -1}, "q must lie between 0 and 4"),
        ("deis_rhork", {"stages": 0}, "stages must lie between 1 and 4"),
        ("deis_rhork", {"stages": 5}, "stages must lie between 1 and 4"),
    ],
)
def test_parameters_outside_their_range_are_refused(
    name: str, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(BenchError, match=message):
        ode_solver_of(name, **parameters)
