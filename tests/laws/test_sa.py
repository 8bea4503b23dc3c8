"""SA-Solver against diffusers, against DDIM and UniPC, and in its coefficients."""

from __future__ import annotations

import itertools
import math
from typing import Any, cast

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers import scheduling_sasolver
from torch import Tensor

from bench.api import BenchError, NoiseProcess, NoiseStream, Problem, Stepper
from bench.registry import Kind, load_registry
from bench.testing import measured_nfe, measured_weak_order, process_of, stepper_of
from bench_plugins.models.closed_form import Mixture

# diffusers builds numpy arrays from tensors in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Replay:
    """One sequence of noise for both sides."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(11)
        self.draw = torch.full((32, 2), math.nan, dtype=torch.float64)
        self.count = 0

    def normal(self) -> Tensor:
        self.draw = torch.from_numpy(self._random.standard_normal((32, 2)))
        self.count += 1
        return self.draw

    def last(self, *_: Any, **__: Any) -> Tensor:
        """In place of diffusers' ``randn_tensor``, which it calls whether or not tau is 0."""
        return self.draw.nan_to_num()


def _times(process: NoiseProcess, steps: int) -> Any:
    plugin: Any = load_registry().get("karras", Kind.GRID).cls()
    return plugin.times(process, steps, 0.05, 20.0)


def _compare(
    plane: Mixture, monkeypatch: pytest.MonkeyPatch, window: tuple[int, int], **parameters: Any
) -> None:
    """Every step against diffusers' in float64; tau acts in the steps of ``window``."""
    tau = parameters["tau"]
    scheduler: Any = diffusers.SASolverScheduler(
        predictor_order=parameters["predictor_order"],
        corrector_order=parameters["corrector_order"],
        lower_order_final=parameters.get("lower_order_final", False),
        prediction_type="sample",
    )
    scheduler.set_timesteps(14)
    scheduler.sigmas = scheduler.sigmas.double()
    # Its last step goes to the first level of training.
    process, noise = process_of("vp"), Replay()
    moments = scheduler.timesteps.tolist()
    scheduler.tau_func = lambda t: tau if window[0] <= moments.index(int(t)) <= window[1] else 0.0
    monkeypatch.setattr(scheduling_sasolver, "randn_tensor", noise.last)
    times = [process.at_s(s) for s in scheduler.sigmas.tolist()]
    bounds = {"tau_s_min": times[window[1]].s, "tau_s_max": times[window[0]].s}
    stepper = stepper_of("sa_solver", **bounds, **parameters)
    problem = Problem(process, plane.denoise, cast(NoiseStream, noise))
    start = np.random.default_rng(2).standard_normal((32, 2)) * times[0].sigma
    ours = theirs = torch.from_numpy(start)
    state = stepper.start(times)
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        ours, state = stepper.step(problem, ours, now, then, state)
        output = problem.denoise(theirs, now)
        theirs = scheduler.step(output, scheduler.timesteps[i], theirs).prev_sample
        scale = float(theirs.abs().max())
        assert float((ours - theirs).abs().max()) <= 1e-9 * scale, f"step {i}"
    assert i == 13
    assert noise.count == (min(window[1], 13) - window[0] + 1 if tau > 0 else 0)


@pytest.mark.parametrize("lower_order_final", [False, True])
@pytest.mark.parametrize("tau", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("orders", [(1, 2), (2, 1), (2, 2), (3, 3), (2, 4), (4, 3)])
def test_sa_solver_is_that_of_diffusers(
    plane: Mixture,
    monkeypatch: pytest.MonkeyPatch,
    orders: tuple[int, int],
    tau: float,
    lower_order_final: bool,
) -> None:
    _compare(
        plane,
        monkeypatch,
        (0, 13),
        predictor_order=orders[0],
        corrector_order=orders[1],
        tau=tau,
        halved=True,
        lower_order_final=lower_order_final,
    )


def test_noise_within_a_range_is_that_of_diffusers(
    plane: Mixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compare(plane, monkeypatch, (4, 9), predictor_order=2, corrector_order=3, tau=1.2, halved=True)


def test_coefficients_of_the_paper_are_those_of_diffusers(
    plane: Mixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``halved``: methods of one evaluation know no difference, all others do."""
    one = {"predictor_order": 1, "corrector_order": 1, "tau": 0.8}
    two = {"predictor_order": 2, "corrector_order": 1, "tau": 0.8}
    _compare(plane, monkeypatch, (0, 13), **one)
    with pytest.raises(AssertionError, match="step 1"):
        _compare(plane, monkeypatch, (0, 13), **two)


class Silence:
    """Noise that is zero, so that a run shows the weights of the evaluations."""

    def normal(self) -> Tensor:
        return torch.zeros(1, 1, dtype=torch.float64)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("h", [0.02, 0.4, 3.0])
def test_two_evaluations_are_weighted_by_the_papers_integrals(tau: float, h: float) -> None:
    """Antiderivatives of r e^(rv) and of r (v + h) e^(rv), r = 1 + tau^2, from -h to 0."""
    process, r, back = process_of("edm"), 1 + tau**2, 0.7 * h
    first, now, then = (process.at_s(math.exp(-lam)) for lam in (-back, 0.0, h))
    flat = -math.expm1(-r * h)
    slope = (r * h + math.expm1(-r * h)) / r
    solver = stepper_of("sa_solver", tau=tau, corrector_order=0)
    for values, expected in (((0.0, 1.0), flat + slope / back), ((1.0, 0.0), -slope / back)):
        outputs = iter(values)
        problem = Problem(
            process,
            lambda y, s, outputs=outputs: torch.full_like(y, next(outputs)),
            cast(NoiseStream, Silence()),
        )
        x, state = solver.step(problem, Silence().normal(), first, now, solver.start((first,) * 3))
        end, _ = solver.step(problem, x, now, then, state)
        decayed = math.exp(-(tau**2) * h - h) * x
        assert float(end - decayed) == pytest.approx(expected, rel=1e-10)


def _end(stepper: Stepper[Any], process: NoiseProcess, plane: Mixture, steps: int) -> Tensor:
    times = _times(process, steps)
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].sigma
    return stepper.solve(Problem(process, plane.denoise), x, times)


@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_without_noise_it_is_ddim(plane: Mixture, process_name: str) -> None:
    process = process_of(process_name)
    still = stepper_of("sa_solver", tau=0.0, predictor_order=1, corrector_order=0)
    torch.testing.assert_close(
        _end(still, process, plane, 7), _end(stepper_of("ddim"), process, plane, 7)
    )


@pytest.mark.parametrize("process_name", ["vp", "edm"])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_without_noise_it_is_unipc(plane: Mixture, process_name: str, p: int) -> None:
    """UniPC-p corrects with p + 1 evaluations, and B1(h) is the halved weight."""
    process = process_of(process_name)
    still = stepper_of("sa_solver", tau=0.0, predictor_order=p, corrector_order=p + 1, halved=True)
    unipc = stepper_of("unipc", p=p, bh1=True)
    torch.testing.assert_close(_end(still, process, plane, 9), _end(unipc, process, plane, 9))
    alone = stepper_of("sa_solver", tau=0.0, predictor_order=p, corrector_order=0, halved=True)
    unip = stepper_of("unipc", p=p, bh1=True, corrector=False)
    torch.testing.assert_close(_end(alone, process, plane, 9), _end(unip, process, plane, 9))


def test_no_noise_outside_the_range(plane: Mixture) -> None:
    process = process_of("vp")
    for bounds in ({"tau_s_min": 21.0}, {"tau_s_max": 0.05}):
        quiet = _end(stepper_of("sa_solver", **bounds), process, plane, 6)
        still = _end(stepper_of("sa_solver", tau=0.0), process, plane, 6)
        assert torch.equal(quiet, still)


@pytest.mark.parametrize(
    ("parameters", "order"),
    [
        ({"predictor_order": 1, "corrector_order": 0}, 1),
        ({"predictor_order": 2, "corrector_order": 0}, 2),
        ({"predictor_order": 3, "corrector_order": 0}, 2),
        ({"predictor_order": 2, "corrector_order": 1}, 1),
        ({"predictor_order": 1, "corrector_order": 2, "halved": True}, 2),
        ({"halved": True}, 2),
        ({"corrector_order": 3}, 2),
        ({"corrector_order": 0, "tau_s_min": 0.3, "tau_s_max": 3.0}, 2),
        ({"predictor_order": 2, "corrector_order": 0, "lower_order_final": True}, 2),
    ],
)
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_variants_have_the_weak_order_they_claim(
    process_name: str, parameters: dict[str, Any], order: int
) -> None:
    stepper = stepper_of("sa_solver", **parameters)
    assert stepper.order == order
    counts = (100, 200, 400)
    assert measured_weak_order(stepper, process_name, "quadratic", counts) > order - 0.1


def test_what_another_corrector_does_to_x_remains() -> None:
    """A shift of x between two steps, where D does not depend on x, reaches the end."""
    process = process_of("vp")
    times = _times(process, 4)
    problem = Problem(process, lambda y, s: torch.full_like(y, float(s)))
    ends = []
    for shift in (0.0, 0.5):
        solver = stepper_of("sa_solver", tau=0.0)
        x, state = torch.zeros(1, 1, dtype=torch.float64), solver.start(times)
        for now, then in itertools.pairwise(times):
            x, state = solver.step(problem, x, now, then, state)
            x = x + shift * then.sigma
        ends.append(float(x) / times[-1].sigma)
    assert ends[1] - ends[0] == pytest.approx(4 * 0.5)


@pytest.mark.parametrize("corrector_order", [0, 1, 4])
def test_every_variant_costs_one_evaluation_a_step(corrector_order: int) -> None:
    for steps in (1, 2, 5, 8):
        stepper = stepper_of("sa_solver", corrector_order=corrector_order)
        assert measured_nfe(stepper, steps) == stepper.cost(steps) == steps


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"predictor_order": 0}, "predictor_order must lie between 1 and 4"),
        ({"corrector_order": 5}, "corrector_order must lie between 0 and 4"),
        ({"tau": -0.1}, "tau must be >= 0"),
        ({"tau_s_min": 2.0, "tau_s_max": 1.0}, "0 <= tau_s_min <= tau_s_max"),
    ],
)
def test_parameters_outside_their_range_are_refused(
    parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of("sa_solver", **parameters)


@pytest.mark.parametrize("tau", [0.0, 0.7])
@pytest.mark.parametrize("process_name", ["vp", "edm"])
def test_pece_evaluates_what_it_has_corrected(
    plane: Mixture, process_name: str, tau: float
) -> None:
    """Written out with one value in the predictor and two in the corrector, in y and lambda."""
    process, noise = process_of(process_name), Replay()
    times = _times(process, 6)
    y = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].s
    r, d = 1 + tau**2, plane.denoise(y, torch.tensor(times[0].s, dtype=torch.float64))
    for i, (now, then) in enumerate(itertools.pairwise(times)):
        h = then.lam - now.lam
        keep, whole = math.exp(-r * h), 1 - math.exp(-r * h)
        fresh = then.s * math.sqrt(1 - math.exp(-2 * tau**2 * h)) * noise.normal()
        predicted = keep * y + whole * d + fresh
        if i < len(times) - 2:
            level = torch.tensor(then.s, dtype=torch.float64)
            new = plane.denoise(predicted, level)
            rise = 1 - whole / (r * h)  # the weight of the line that is 0 at now and 1 at then
            y = keep * y + (whole - rise) * d + rise * new + fresh
            d = plane.denoise(y, level)
    stepper = stepper_of("sa_solver", pece=True, predictor_order=1, corrector_order=2, tau=tau)
    again = Replay() if tau > 0 else None
    problem = Problem(process, plane.denoise, cast(NoiseStream, again))
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((32, 2))) * times[0].sigma
    ours = stepper.solve(problem, x, times) / times[-1].alpha
    torch.testing.assert_close(ours, predicted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("orders", [(1, 1), (2, 2), (3, 4)])
def test_pece_costs_a_second_evaluation_of_every_corrected_point(orders: tuple[int, int]) -> None:
    for steps in (1, 2, 5):
        stepper = stepper_of(
            "sa_solver", pece=True, predictor_order=orders[0], corrector_order=orders[1]
        )
        assert measured_nfe(stepper, steps) == stepper.cost(steps) == 2 * steps - 1
