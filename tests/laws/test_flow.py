"""Euler and Heun in flow matching's coordinates, for every process."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import NoiseProcess, Problem, Stepper, Time
from bench.registry import Kind, load_registry
from bench.testing import process_of
from bench_plugins.models.closed_form import Mixture

LEVELS = (30.0, 8.0, 2.0, 0.9, 0.2, 0.03)


def _solver(name: str) -> Stepper[Any]:
    plugin = load_registry().get(name, Kind.ODE_SOLVER).cls()
    assert isinstance(plugin, Stepper)
    return plugin


def _times(process: NoiseProcess) -> list[Time]:
    return [process.at_s(s) for s in LEVELS]


def _random() -> Tensor:
    return torch.from_numpy(np.random.default_rng(5).standard_normal((16, 2)))


def _states(
    name: str, problem: Problem, y: Tensor, times: Sequence[Time]
) -> list[tuple[Tensor, Time]]:
    """Every state on the way, in normalised coordinates."""
    x, states = y * times[0].alpha, []
    for now, then in pairwise(times):
        x, _ = _solver(name).step(problem, x, now, then, None)
        states.append((x / then.alpha, then))
    return states


@pytest.mark.parametrize("backwards", [False, True])
def test_flow_euler_is_ddim(process: NoiseProcess, plane: Mixture, backwards: bool) -> None:
    problem, times = Problem(process, plane.denoise), _times(process)
    path = times[::-1] if backwards else times
    y = _random() * path[0].s
    ours = _states("flow_euler", problem, y, path)
    for (got, then), (expected, _) in zip(ours, _states("ddim", problem, y, path), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-11 * (1 + then.s))


def test_flow_heun_under_rectified_flow_is_heun_in_t(plane: Mixture) -> None:
    process = process_of("rectified_flow")
    problem, times = Problem(process, plane.denoise), _times(process)
    for path in (times, times[::-1]):
        y = _random() * path[0].s
        ours, other = (_states(name, problem, y, path) for name in ("flow_heun", "heun"))
        for (got, then), (expected, _) in zip(ours, other, strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9 * (1 + then.s))


def test_flow_heun_is_the_same_under_every_process(process: NoiseProcess, plane: Mixture) -> None:
    flow, y = process_of("rectified_flow"), 30.0 * _random()
    ours = _states("flow_heun", Problem(process, plane.denoise), y, _times(process))
    other = _states("flow_heun", Problem(flow, plane.denoise), y, _times(flow))
    for (got, _), (expected, _) in zip(ours, other, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-7)
    # Heun's method is another one in s: the coordinates do matter.
    edm = _states("edm_heun", Problem(process, plane.denoise), y, _times(process))
    assert float((ours[-1][0] - edm[-1][0]).abs().max()) > 1e-2


@pytest.mark.parametrize("process_name", ["rectified_flow", "vp", "edm"])
def test_flow_euler_is_that_of_diffusers(plane: Mixture, process_name: str) -> None:
    scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(30)
    scheduler.set_begin_index(1)  # the first is t = 1, where alpha vanishes
    moments = iter(scheduler.timesteps[1:])
    _compare(plane, process_name, "flow_euler", scheduler, scheduler.sigmas[1:-1], moments)


@pytest.mark.parametrize("process_name", ["rectified_flow", "vp", "edm"])
def test_flow_heun_is_that_of_diffusers(plane: Mixture, process_name: str) -> None:
    scheduler: Any = diffusers.FlowMatchHeunDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(30)
    scheduler.set_begin_index(2)  # its levels are listed twice, but for the first and the last
    moments = iter(scheduler.timesteps[2:])
    _compare(plane, process_name, "flow_heun", scheduler, scheduler.sigmas[2:-1:2], moments)


def _compare(
    plane: Mixture, process_name: str, name: str, scheduler: Any, u: Tensor, moments: Any
) -> None:
    """diffusers keeps z = x / (alpha + sigma) in float32 and is given eps - D."""
    process = process_of(process_name)
    problem = Problem(process, plane.denoise)
    times = [process.at_s(s) for s in (u.double() / (1 - u.double())).tolist()]
    x = _random() * times[0].sigma
    z = x / (times[0].alpha + times[0].sigma)

    def velocity(z: Tensor, now: Time) -> Tensor:
        d = plane.denoise(z.double() * (1 + now.s), torch.tensor(now.s, dtype=torch.float64))
        return (z - d) / (now.s / (1 + now.s))

    for i, (now, then) in enumerate(pairwise(times)):
        x, _ = _solver(name).step(problem, x, now, then, None)
        for stage in (now,) if name == "flow_euler" else (now, then):
            z = scheduler.step(velocity(z, stage), next(moments), z).prev_sample
        gap = (x / (then.alpha + then.sigma) - z).abs().max()
        assert float(gap) <= 1e-5 * float(z.abs().max()), f"step {i}"
    assert len(times) > 8
