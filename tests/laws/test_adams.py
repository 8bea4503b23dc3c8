"""Adams methods: exact on polynomials, and against diffusers and torchdiffeq."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial
from torch import Tensor
from torchdiffeq import odeint

from bench.api import Evaluation, History, OdeSolver, Problem, Time
from bench.testing import ode_solver_of, process_of
from bench_plugins.models.closed_form import Mixture

# diffusers builds numpy arrays from tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Steps of very different lengths.
LEVELS = (9.0, 8.5, 5.0, 3.0, 2.9, 1.2, 0.8)


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


def _history(times: Sequence[Time], value: Callable[[Time], Tensor]) -> History:
    """What a solver remembers that has evaluated at ``times``."""
    return History(3, tuple(Evaluation(time, value(time)) for time in reversed(times)))


# The velocity or eps, a polynomial of as many coefficients as a step has evaluations.
POLYNOMIALS = {n: Polynomial([0.7, -0.3, 0.2, -0.05][:n]) for n in (1, 2, 3, 4)}


@pytest.mark.parametrize("highest", POLYNOMIALS)
@pytest.mark.parametrize("name", ["lms", "ipndm_v"])
@pytest.mark.parametrize("back", [False, True])
def test_polynomials_in_s_are_integrated_exactly(name: str, highest: int, back: bool) -> None:
    process, eps = process_of("vp"), POLYNOMIALS[highest]
    levels = LEVELS[::-1] if back else LEVELS
    *past, now, then = [process.at_s(s) for s in levels[: highest + 1]]

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        return y - s * float(eps(float(s)))

    x = _start(now)
    state = _history(past, lambda time: torch.full_like(x, float(eps(time.s))))
    found, _ = ode_solver_of(name, highest=highest).step(
        Problem(process, denoise), x, now, then, state
    )
    gain = eps.integ()(then.s) - eps.integ()(now.s)
    expected = then.alpha * (x / now.alpha + gain)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("highest", POLYNOMIALS)
@pytest.mark.parametrize("name", ["adams_bashforth", "adams_bashforth_moulton"])
@pytest.mark.parametrize("process_name", ["vp", "edm", "rectified_flow"])
def test_polynomials_in_t_are_integrated_exactly(
    process_name: str, name: str, highest: int
) -> None:
    process, velocity = process_of(process_name), POLYNOMIALS[highest]
    *past, now, then = [process.at_s(s) for s in LEVELS[: highest + 1]]

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        """What makes (f + r) x - r alpha D the polynomial."""
        here = process.at_s(float(s))
        rate = here.g2 / (2 * here.sigma**2)
        return ((here.f + rate) * here.alpha * y - float(velocity(here.t))) / (rate * here.alpha)

    x = _start(now)
    state = _history(past, lambda time: torch.full_like(x, float(velocity(time.t))))
    found, _ = ode_solver_of(name, highest=highest).step(
        Problem(process, denoise), x, now, then, state
    )
    expected = x + velocity.integ()(then.t) - velocity.integ()(now.t)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_the_corrector_takes_the_predictions_velocity(plane: Mixture) -> None:
    """With one velocity it is the backward Euler formula at Euler's prediction."""
    process = process_of("vp")
    now, then = process.at_s(3.0), process.at_s(2.0)
    problem, x, dt = Problem(process, plane.denoise), _start(now), then.t - now.t
    solver = ode_solver_of("adams_bashforth_moulton", highest=1)
    found, _ = solver.step(problem, x, now, then, solver.start((now, then)))
    predicted = x + dt * problem.velocity(x, now)
    expected = x + dt * problem.velocity(predicted, then)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("process_name", ["vp", "edm", "subvp"])
def test_low_orders_are_the_methods_of_their_names(plane: Mixture, process_name: str) -> None:
    process = process_of(process_name)
    times = [process.at_s(s) for s in LEVELS]
    problem, x = Problem(process, plane.denoise), _start(times[0])
    euler = _path(ode_solver_of("euler"), problem, x, times)
    found = _path(ode_solver_of("adams_bashforth", highest=1), problem, x, times)
    torch.testing.assert_close(found, euler, rtol=1e-12, atol=1e-12)
    heun = _path(ode_solver_of("heun"), problem, x, times[:2])
    found = _path(ode_solver_of("adams_bashforth_moulton"), problem, x, times[:2])
    torch.testing.assert_close(found, heun, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("highest", [1, 2, 3, 4])
def test_adams_in_s_and_in_t_are_one_where_t_is_s(plane: Mixture, highest: int) -> None:
    """And LMS is variable-step iPNDM."""
    process = process_of("edm")
    times = [process.at_s(s) for s in LEVELS]
    problem, x = Problem(process, plane.denoise), _start(times[0])
    lms, ipndm_v, in_t = (
        _path(ode_solver_of(name, highest=highest), problem, x, times)
        for name in ("lms", "ipndm_v", "adams_bashforth")
    )
    torch.testing.assert_close(ipndm_v, lms, rtol=0, atol=0)
    torch.testing.assert_close(in_t, lms, rtol=1e-11, atol=1e-11)


def test_fixed_coefficients_are_those_of_equal_steps_in_s(plane: Mixture) -> None:
    process = process_of("vp")
    problem = Problem(process, plane.denoise)
    for levels, same in ((np.linspace(10.0, 0.5, 9), True), (np.geomspace(10.0, 0.5, 9), False)):
        times = [process.at_s(s) for s in levels.tolist()]
        fixed, variable = (
            _path(ode_solver_of(name), problem, _start(times[0]), times)[-1]
            for name in ("ipndm", "ipndm_v")
        )
        assert (float((fixed - variable).abs().max()) < 1e-11) == same


@pytest.mark.parametrize("spacing", ["use_karras_sigmas", "use_exponential_sigmas"])
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_lms_is_that_of_diffusers(plane: Mixture, process_name: str, spacing: str) -> None:
    """The scheduler works on y = x / alpha, with float32 levels."""
    scheduler: Any = diffusers.LMSDiscreteScheduler(**{spacing: True})
    scheduler.set_timesteps(20)
    process = process_of(process_name)
    times = [process.at_s(s) for s in scheduler.sigmas[:-1].double().tolist()]
    problem, x = Problem(process, plane.denoise), _start(times[0])
    theirs = x / times[0].alpha
    for i, ours in enumerate(_path(ode_solver_of("lms"), problem, x, times)):
        t, now = scheduler.timesteps[i], times[i]
        scheduler.scale_model_input(theirs, t)  # it insists
        eps = problem.eps(now.alpha * theirs, now)
        theirs = scheduler.step(eps, t, theirs, order=4).prev_sample
        error = float((ours / times[i + 1].alpha - theirs).abs().max())
        assert error <= 1e-5 * float(theirs.abs().max()), f"step {i}"


def test_equal_steps_in_t_are_those_of_torchdiffeq(plane: Mixture) -> None:
    """Step by step from its own path: it starts with Runge-Kutta steps."""
    process = process_of("vp")
    problem = Problem(process, plane.denoise)
    t = torch.linspace(process.at_s(10.0).t, process.at_s(0.3).t, 12, dtype=torch.float64)
    times = [process.at(value) for value in t.tolist()]

    def velocity(t: Tensor, x: Tensor) -> Tensor:
        return problem.velocity(x, process.at(float(t)))

    path = odeint(velocity, _start(times[0]), t, method="explicit_adams", options={"max_order": 5})
    steps = [Evaluation(at, problem.velocity(x, at)) for at, x in zip(times, path, strict=True)]
    for i in range(3, 11):
        state = History(11 - i, (steps[i - 1], steps[i - 2], steps[i - 3]))
        found, _ = ode_solver_of("adams_bashforth").step(
            problem, path[i], times[i], times[i + 1], state
        )
        torch.testing.assert_close(found, path[i + 1], rtol=1e-12, atol=1e-12, msg=f"step {i}")


def test_a_history_no_longer_than_asked_for_is_kept(plane: Mixture) -> None:
    process = process_of("vp")
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, plane.denoise)
    for name in ("lms", "ipndm", "adams_bashforth", "adams_bashforth_moulton"):
        solver = ode_solver_of(name, highest=2)
        x, state = _start(times[0]), solver.start(times)
        for now, then in itertools.pairwise(times):
            x, state = solver.step(problem, x, now, then, state)
        assert isinstance(state, History)
        assert len(state.past) == 2
        assert state.left == 0
