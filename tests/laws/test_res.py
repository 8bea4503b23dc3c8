"""RES: its orders, what it integrates exactly, and the methods that it is a case of."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from bench.api import BenchError, NoiseProcess, NoiseStream, Problem, Stepper
from bench.testing import (
    measured_order,
    measured_weak_order,
    ode_solver_of,
    process_of,
    stepper_of,
)
from bench_plugins.models.closed_form import Mixture
from bench_plugins.res import stages

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)
SETTINGS = [("vp", "karras"), ("edm", "log_snr")]


class Draws:
    """Reproducible noise; two steppers that draw equally often see the same."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(4)

    def normal(self) -> Tensor:
        return torch.from_numpy(self._random.standard_normal((8, 2)))


def _path(
    stepper: Stepper[Any], process: NoiseProcess, model: Callable[[Tensor, Tensor], Tensor]
) -> list[Tensor]:
    """x at every level."""
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, model, cast(NoiseStream, Draws()))
    x = times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))
    state, path = stepper.start(times), [x]
    for now, then in pairwise(times):
        x, state = stepper.step(problem, x, now, then, state)
        path.append(x)
    return path


def _same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    assert len(ours) == len(theirs) == len(LEVELS)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("process_name", "grid_name"), SETTINGS)
@pytest.mark.parametrize(
    ("name", "parameters", "order"),
    [
        ("res_2s", {}, 2),
        ("res_2s", {"c2": 1.0}, 2),
        ("res_3s", {}, 3),
        ("res_3s", {"c2": 0.4, "c3": 0.7}, 3),
        ("res_3s", {"c2": 0.3, "c3": 2 / 3}, 3),
        ("res_multistep", {"highest": 1}, 1),
        ("res_multistep", {}, 2),
    ],
)
def test_orders_are_those_claimed(
    name: str, parameters: dict[str, Any], order: int, process_name: str, grid_name: str
) -> None:
    solver = ode_solver_of(name, **parameters)
    assert solver.order == order
    assert measured_order(solver, process_name, grid_name) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "quadratic"), ("edm", "karras")])
@pytest.mark.parametrize("eta", [1.0, 0.5])
@pytest.mark.parametrize(
    ("name", "steps", "order"),
    [
        ("res_2s_a", (80, 160, 320), 2),
        ("res_3s_a", (160, 320, 640), 3),
        ("res_multistep_a", (160, 320, 640), 2),
    ],
)
def test_weak_orders_are_those_claimed(
    name: str, steps: tuple[int, ...], order: int, eta: float, process_name: str, grid_name: str
) -> None:
    stepper = stepper_of(name, eta=eta)
    assert stepper.order == order
    found = measured_weak_order(stepper, process_name, grid_name, steps)
    assert found == pytest.approx(order, abs=0.1)


def test_gamma_with_a_cube_loses_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """RES4LYF's (3 c3^3 - 2 c3) / (c2 (2 - 3 c2)) is the same at c3 = 1 alone."""
    for c3, same in ((1.0, True), (0.7, False)):
        solver = ode_solver_of("res_3s", c2=0.5, c3=c3)
        with monkeypatch.context() as patch:
            cube = (3 * c3**3 - 2 * c3) / 0.25
            patch.setattr(stages, "gamma_of", lambda *_, cube=cube: cube)
            assert (measured_order(solver) > 2.9) == same


@pytest.mark.parametrize(
    ("name", "parameters", "degree", "first"),
    [
        ("res_2s", {}, 1, 0),
        ("res_2s", {"c2": 0.3}, 1, 0),
        ("res_3s", {}, 1, 0),
        ("res_3s", {"c2": 0.3, "c3": 0.8}, 1, 0),
        ("res_multistep", {}, 1, 1),
        ("res_multistep", {"highest": 3}, 2, 2),
    ],
)
def test_polynomials_in_lambda_are_integrated_exactly(
    process: NoiseProcess, name: str, parameters: dict[str, Any], degree: int, first: int
) -> None:
    """y_then = e^-h y + int e^(lambda - lambda_then) D(lambda); later steps than ``first``."""

    def law(lam: float) -> float:
        return 2.0 + 3.0 * lam - (0.7 * lam**2 if degree == 2 else 0.0)

    def model(y: Tensor, s: Tensor) -> Tensor:
        return torch.full_like(y, law(-math.log(float(s))))

    times = [process.at_s(s) for s in LEVELS]
    path = _path(stepper_of(name, **parameters), process, model)
    for i, (now, then) in enumerate(pairwise(times)):
        moved = quad(lambda lam, end=then.lam: math.exp(lam - end) * law(lam), now.lam, then.lam)[0]
        exact = then.alpha * (math.exp(now.lam - then.lam) * path[i] / now.alpha + moved)
        close = torch.allclose(path[i + 1], exact, rtol=1e-8, atol=1e-8)
        assert close == (i >= first)


EQUAL = [
    (("res_2s", {}), ("seeds_2", {"eta": 0.0, "phi_2": True})),
    (("res_2s", {"c2": 1.0}), ("seeds_2", {"eta": 0.0, "phi_2": True, "r": 1.0})),
    (("res_3s", {"c2": 1 / 3, "c3": 2 / 3}), ("seeds_3", {"eta": 0.0})),
    (("res_multistep", {"highest": 1}), ("ddim", {})),
    (("res_multistep", {}), ("dpmpp_2m_sde", {"eta": 0.0, "heun": True})),
    (
        ("res_multistep", {"highest": 3}),
        ("sa_solver", {"tau": 0.0, "predictor_order": 3, "corrector_order": 0}),
    ),
    (("res_2s_a", {"eta": 0.0, "c2": 0.7}), ("res_2s", {"c2": 0.7})),
    (("res_3s_a", {"eta": 0.0, "c2": 0.5, "c3": 1.0}), ("res_3s", {})),
    (("res_multistep_a", {"eta": 0.0, "highest": 3}), ("res_multistep", {"highest": 3})),
    (("res_multistep_a", {"eta": 0.6, "highest": 1}), ("euler_a", {"eta": 0.6})),
    (("res_multistep_a", {}), ("dpmpp_2m_sde", {"heun": True})),
    (
        ("res_multistep_a", {"highest": 3}),
        ("sa_solver", {"predictor_order": 3, "corrector_order": 0}),
    ),
]


@pytest.mark.parametrize(("ours", "other"), EQUAL)
def test_methods_that_are_one(
    ours: tuple[str, dict[str, Any]],
    other: tuple[str, dict[str, Any]],
    process: NoiseProcess,
    plane: Mixture,
) -> None:
    paths = [_path(stepper_of(name, **given), process, plane.denoise) for name, given in
             (ours, other)]  # fmt: skip
    _same(*paths)


def test_the_formula_is_another_than_that_of_dpm_solver(plane: Mixture) -> None:
    process = process_of("vp")
    for name, other in (("res_2s", "dpmpp_2s"), ("res_multistep", "dpmpp_2m")):
        ends = [_path(stepper_of(n), process, plane.denoise)[-1] for n in (name, other)]
        assert float((ends[0] - ends[1]).abs().max()) > 1e-3


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_multistep_is_that_of_comfyui(plane: Mixture, eta: float) -> None:
    """Its update in sigma: c2 = -h_before / h by the flow's ways, b2 = phi_2(-h) / c2."""
    y, draws = _path(stepper_of("res_multistep_a", eta=eta), process_of("edm"), plane.denoise), []
    noise = Draws()
    x, before = y[0], (torch.empty(0), 0.0)
    for i, (s, s_then) in enumerate(pairwise(LEVELS)):
        up = min(s_then, eta * math.sqrt(s_then**2 * (s**2 - s_then**2) / s**2))
        down = math.sqrt(s_then**2 - up**2)
        h = math.log(s / down)
        d = plane.denoise(x, torch.tensor(s, dtype=torch.float64))
        phi_1 = (1 - math.exp(-h)) / h
        phi_2 = (1 - phi_1) / h
        if i == 0:
            x = x + (x - d) / s * (down - s)
        else:
            c_2 = -before[1] / h
            x = math.exp(-h) * x + h * ((phi_1 - phi_2 / c_2) * d + phi_2 / c_2 * before[0])
        x = x + up * noise.normal()
        before = d, h
        draws.append(x)
    _same(y, [y[0], *draws])


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("res_2s", {"c2": 0.0}, "c2 must lie"),
        ("res_2s_a", {"c2": 1.1}, "c2 must lie"),
        ("res_3s", {"c3": 0.0}, "c3 must lie"),
        ("res_3s", {"c2": 2 / 3}, "2/3"),
        ("res_3s", {"c2": 0.5, "c3": 0.5}, "order 3 needs both"),
        ("res_3s_a", {"eta": 1.1}, "eta must"),
        ("res_2s_a", {"s_noise": -1.0}, "s_noise"),
        ("res_multistep", {"highest": 4}, "highest"),
        ("res_multistep_a", {"eta": -0.1}, "eta must"),
        ("res_multistep_a", {"highest": 0}, "highest"),
    ],
)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of(name, **parameters)
