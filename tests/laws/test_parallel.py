"""Parallel in time: the sequential solution as the limit, the textbook's loops, the depth."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError, CountedDenoiser, NoiseProcess, Problem, Stepper, Time
from bench.testing import measured_order, ode_solver_of, process_of, stepper_of
from bench_plugins.models.closed_form import Mixture

STEPS = 23  # no square, and no multiple of a block


def _times(process: NoiseProcess, steps: int = STEPS) -> list[Time]:
    return [process.at_s(float(s)) for s in np.geomspace(10.0, 0.05, steps + 1)]


def _start(times: list[Time]) -> Tensor:
    return times[0].sigma * torch.from_numpy(np.random.default_rng(3).standard_normal((8, 2)))


def _end(stepper: Stepper[Any], process: NoiseProcess, plane: Mixture) -> Tensor:
    times = _times(process)
    return stepper.solve(Problem(process, plane.denoise), _start(times), times) / times[-1].alpha


def _ddim(plane: Mixture, y: Tensor, levels: list[float]) -> Tensor:
    """Steps of dy/ds = (y - D) / s over ``levels``."""
    for s, then in itertools.pairwise(levels):
        y = y + (then - s) / s * (y - plane.denoise(y, torch.tensor(s, dtype=torch.float64)))
    return y


@pytest.mark.parametrize("process_name", ["edm", "vp", "subvp"])
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("srds", {"refinements": 5}),  # as many as blocks of five
        ("srds", {"refinements": 40}),
        ("srds", {"block": STEPS}),
        ("srds", {"block": 1}),
        ("srds", {"block": 4, "refinements": 6}),
        ("paradigms", {"stride": 1, "sweeps": 1}),
        ("paradigms", {"stride": 1, "sweeps": 4}),
        ("paradigms", {"stride": 5, "sweeps": STEPS}),
        ("paradigms", {"stride": STEPS, "sweeps": STEPS}),
    ],
)
def test_in_the_limit_it_is_ddim(
    name: str, parameters: dict[str, Any], process_name: str, plane: Mixture
) -> None:
    process = process_of(process_name)
    ours = _end(stepper_of(name, **parameters), process, plane)
    torch.testing.assert_close(
        ours, _end(stepper_of("ddim"), process, plane), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("block", [1, 4, 5, 11, 23, 30])
@pytest.mark.parametrize("refinements", [1, 2, 3, 4])
def test_srds_is_parareal_by_the_book(plane: Mixture, block: int, refinements: int) -> None:
    """All blocks, all refinements, nothing shared and nothing left out, in y."""
    process = process_of("edm")
    times = _times(process)
    levels = [time.s for time in times]
    ends = [*range(0, STEPS, block), STEPS]
    parts = [levels[a : b + 1] for a, b in itertools.pairwise(ends)]
    points = [_start(times)]
    for part in parts:
        points.append(_ddim(plane, points[-1], [part[0], part[-1]]))
    for _ in range(refinements):
        fine = [_ddim(plane, y, part) for y, part in zip(points, parts, strict=False)]
        new = [points[0]]
        for j, part in enumerate(parts):
            ahead = [_ddim(plane, y, [part[0], part[-1]]) for y in (new[j], points[j])]
            new.append(ahead[0] + fine[j] - ahead[1])
        points = new
    ours = _end(stepper_of("srds", block=block, refinements=refinements), process, plane)
    torch.testing.assert_close(ours, points[-1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("stride", "sweeps"), [(3, 1), (3, 2), (4, 5), (30, 3)])
def test_paradigms_is_picards_iteration_of_the_whole_path(
    plane: Mixture, stride: int, sweeps: int
) -> None:
    """Each point by a sum from the start of the window, over what the others were before.

    In x of VP, as the authors have it: alpha = (1 + s^2)^-1/2.
    """
    process = process_of("edm")
    times = _times(process)
    levels = [time.s for time in times]
    alphas = [(1 + s * s) ** -0.5 for s in levels]
    path, done = [_start(times) * alphas[0]] * (STEPS + 1), [0] * (STEPS + 1)
    sweep = 0
    while done[-1] < sweeps:
        sweep += 1
        entered = min(sweep * stride, STEPS)
        moves = []
        for k, x in enumerate(path[:entered]):
            moved = _ddim(plane, x / alphas[k], levels[k : k + 2])
            moves.append(moved * alphas[k + 1] - x)
        for k in range(entered):  # those that the window has left behind stay
            if done[k + 1] < sweeps:
                begin = max(i for i in range(k + 1) if i == 0 or done[i] == sweeps)
                path[k + 1] = path[begin] + torch.stack(moves[begin : k + 1]).sum(0)
        for k in range(1, entered + 1):
            done[k] = min(done[k] + 1, sweeps)
        path[entered + 1 :] = [path[entered]] * (STEPS - entered)
    ours = _end(stepper_of("paradigms", stride=stride, sweeps=sweeps), process, plane)
    torch.testing.assert_close(ours, path[-1] / alphas[-1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["srds", "paradigms"])
def test_every_process_gives_the_same_result(
    name: str, process: NoiseProcess, plane: Mixture
) -> None:
    ends = [_end(stepper_of(name), each, plane) for each in (process, process_of("edm"))]
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("root", [2, 5, 10])
@pytest.mark.parametrize("refinements", [1, 2, 3])
def test_the_depth_of_srds_is_that_of_its_longest_chain(root: int, refinements: int) -> None:
    used = min(refinements, root)
    stepper = stepper_of("srds", refinements=refinements)
    assert stepper.depth(root**2) == used * root + root - used <= root**2
    # Without what is shared or left out: a coarse sweep, and fine steps and a sweep a refinement.
    assert stepper.cost(root**2) < root + refinements * (root**2 + root)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("srds", {"refinements": k}) for k in (1, 2, 3)]
    + [("paradigms", {"stride": k, "sweeps": 4}) for k in (1, 3, 8)],
)
def test_more_steps_never_cost_less(name: str, parameters: dict[str, Any]) -> None:
    """Else no budget could set them; and the declared is what a run counts, beside its depth."""
    stepper = stepper_of(name, **parameters)
    costs = [stepper.cost(n) for n in range(1, 700)]
    assert costs == sorted(costs)
    process = process_of("edm")
    for steps in (1, 7, 60):
        counted = CountedDenoiser(lambda y, s: y / (1 + s * s))
        times = _times(process, steps)
        problem = Problem(process, counted, evaluations=counted.evaluations)
        stepper.solve(problem, _start(times), times)
        assert counted.evaluations.nfe(8) == stepper.cost(steps)
        assert counted.evaluations.depth(8) == stepper.depth(steps)


@pytest.mark.parametrize(("process_name", "grid_name"), [("vp", "karras"), ("edm", "log_snr")])
@pytest.mark.parametrize(
    ("name", "parameters"),
    [("srds", {}), ("srds", {"refinements": 2}), ("paradigms", {}), ("paradigms", {"sweeps": 1})],
)
def test_the_order_is_one(
    name: str, parameters: dict[str, Any], process_name: str, grid_name: str
) -> None:
    solver = ode_solver_of(name, **parameters)
    found = measured_order(solver, process_name, grid_name, (320, 640, 1280))
    assert found == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("srds", {"refinements": 0}, "refinements must be >= 1"),
        ("srds", {"block": 0}, "block must be >= 1"),
        ("paradigms", {"stride": 0}, "stride must be >= 1"),
        ("paradigms", {"sweeps": 0}, "sweeps must be >= 1"),
    ],
)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        stepper_of(name, **parameters)
