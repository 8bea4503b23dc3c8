"""A-FloPS: its linear part, its formula written out, and its order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from bench.api import BenchError, NoiseProcess, Problem
from bench.testing import measured_order, ode_solver_of, process_of, stepper_of
from bench_plugins.flow.aflops import phi
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 5.0, 2.0, 1.1, 0.4, 0.1)


def _start(sigma: float) -> Tensor:
    return sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))


def test_phi_are_integrals_of_the_exponential() -> None:
    q = [-30.0, -2.0, -0.501, -0.499, -1e-3, 0.0, 1e-9, 0.3, 0.6, 4.0]
    first, second = phi(torch.tensor(q, dtype=torch.float64))
    for one, two, at in zip(first.tolist(), second.tolist(), q, strict=True):
        assert one == pytest.approx(quad(lambda v, at=at: np.exp((1 - v) * at), 0, 1)[0], rel=1e-12)
        assert two == pytest.approx(
            quad(lambda v, at=at: v * np.exp((1 - v) * at), 0, 1)[0], rel=1e-12
        )


@pytest.mark.parametrize("rate", [-2.0, 0.4])
def test_what_is_linear_in_z_is_solved_exactly_after_the_first_step(rate: float) -> None:
    """dz/du = rate z + w under rectified flow, where u is t and z is x."""
    process, w = process_of("rectified_flow"), torch.tensor([0.3, -0.7], dtype=torch.float64)
    times = [process.at_s(s) for s in LEVELS]

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        u = s / (1 + s)
        z = y * (1 - u)
        return z - u * (rate * z + w)

    stepper = stepper_of("aflops", limit=1e6)
    x, state = _start(times[0].sigma), stepper.start(times)
    problem = Problem(process, denoise)
    x, state = stepper.step(problem, x, times[0], times[1], state)
    grown = np.exp(rate * (times[-1].t - times[1].t))
    exact = x * grown + w * (grown - 1) / rate
    for now, then in pairwise(times[1:]):
        x, state = stepper.step(problem, x, now, then, state)
    torch.testing.assert_close(x, exact, rtol=3e-6, atol=1e-6)  # 1e-8 beside |z - z'|^2


@pytest.mark.parametrize("limit", [0.0, 1.0, 1e6])
def test_the_formula_written_out(plane: Mixture, limit: float) -> None:
    """In numpy, sample by sample, in the paper's time 1 - u."""
    process = process_of("rectified_flow")
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, plane.denoise)
    x, last = _start(times[0].sigma), None
    expected = x
    for now, then in pairwise(times):
        z, v = expected.numpy(), -problem.velocity(expected, now).numpy()
        h, ends = now.t - then.t, []
        for i in range(len(z)):
            if last is None:
                ends.append(z[i] + h * v[i])
                continue
            t_1, z_1, v_1 = last
            dz, dv = z[i] - z_1[i], v[i] - v_1[i]
            c = np.clip(dz @ dv / (dz @ dz + 1e-8), -limit, limit)
            w, w_1 = v[i] - c * z[i], v_1[i] - c * z_1[i]
            slope, grown = (w - w_1) / (t_1 - now.t), np.exp(c * h)
            flat, line = (h, h * h / 2) if c == 0 else ((grown - 1) / c, (grown - 1 - c * h) / c**2)
            ends.append(grown * z[i] + flat * w + line * slope)
        last, expected = (now.t, z, v), torch.from_numpy(np.array(ends))
    ours = stepper_of("aflops", limit=limit).solve(problem, x, times)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


def test_without_a_linear_part_it_is_adams_bashforth(plane: Mixture) -> None:
    process = process_of("vp")
    times = [process.at_s(s) for s in LEVELS]
    problem = Problem(process, plane.denoise)
    ends = [
        stepper.solve(problem, _start(times[0].sigma), times)
        for stepper in (stepper_of("aflops", limit=0.0), stepper_of("stork_2"))
    ]
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-9, atol=1e-9)


def test_every_process_gives_the_same_result(process: NoiseProcess, plane: Mixture) -> None:
    ends = []
    for each in (process, process_of("edm")):
        times = [each.at_s(s) for s in LEVELS]
        end = stepper_of("aflops").solve(
            Problem(each, plane.denoise), _start(times[0].sigma), times
        )
        ends.append(end / times[-1].alpha)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
@pytest.mark.parametrize(
    ("parameters", "steps"), [({}, (160, 320, 640)), ({"limit": 10.0}, (320, 640, 1280))]
)
def test_the_order_is_two(
    parameters: dict[str, Any], steps: tuple[int, ...], process_name: str, grid_name: str
) -> None:
    solver = ode_solver_of("aflops", **parameters)
    found = measured_order(solver, process_name, grid_name, steps)
    assert found == pytest.approx(2, abs=0.1)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(BenchError, match="limit must be >= 0"):
        stepper_of("aflops", limit=-1.0)
