"""RePaint against diffusers' RePaintScheduler: a step, and the schedule of levels."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from diffusers import RePaintScheduler
from torch import Tensor

from bench.api import Observation, Time
from bench.testing.plugins import process_of, stepper_of

SEEN = (0, 2)


class _Same:
    """A stream that draws the same numbers each time, as the scheduler does within a step."""

    def __init__(self, draw: Tensor) -> None:
        self.draw = draw

    def normal(self) -> Tensor:
        return self.draw


def _time(scheduler: RePaintScheduler, t: int) -> Time:
    product = float(scheduler.alphas_cumprod.double()[t])
    alpha, sigma = math.sqrt(product), math.sqrt(1 - product)
    s = sigma / alpha
    return Time(float(t), alpha, sigma, s, -math.log(s), 0.0, 0.0)


def _observation(lab: SimpleNamespace, original: Tensor) -> Observation:
    eye = torch.eye(4, dtype=torch.float64)
    operator = lab.Dense(eye[:, list(SEEN)], torch.ones(2, dtype=torch.float64))
    return Observation(operator, original[:, list(SEEN)], 0.0)


@pytest.mark.parametrize("t", [700, 300, 20])
def test_a_step_is_that_of_diffusers(lab: SimpleNamespace, t: int) -> None:
    scheduler = RePaintScheduler(eta=1.0, clip_sample=False)
    scheduler.set_timesteps(100, 1, 1)
    gauss, n = lab.correlated(), 5
    now, then = _time(scheduler, t), _time(scheduler, t - 10)
    torch.manual_seed(0)
    x, original = (torch.randn(n, 4, dtype=torch.float64) for _ in range(2))
    noise = torch.randn(n, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    d = gauss.denoise(x / now.alpha, torch.tensor(now.s, dtype=torch.float64))
    mask = torch.zeros(4, dtype=torch.float64)
    mask[list(SEEN)] = 1
    theirs = scheduler.step(
        (x - now.alpha * d) / now.sigma,
        t,
        x,
        original,
        mask,
        generator=torch.Generator().manual_seed(5),
    ).prev_sample
    stepper = stepper_of("repaint", resamplings=1)
    problem = lab.problem_of(gauss.denoise, _observation(lab, original), _Same(noise))
    ours, _ = stepper.step(problem, x, now, then, stepper.start((now, then)))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("steps", "jump", "times"), [(7, 1, 3), (12, 3, 2), (10, 4, 4), (3, 5, 2)])
def test_the_way_is_that_of_diffusers(
    lab: SimpleNamespace, steps: int, jump: int, times: int
) -> None:
    scheduler = RePaintScheduler()
    scheduler.set_timesteps(steps, jump, times)
    theirs, last = [], steps
    for t in (scheduler.timesteps // (1000 // steps)).tolist():
        if t < last:
            theirs.append(t)  # evaluated with t + 1 steps to go
        last = t
    grid = lab.Setting(steps=steps).times()
    left = {point.s: steps - 1 - i for i, point in enumerate(grid)}
    ours: list[int] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        ours.append(left[float(s)])
        return y / (1 + s**2)

    stepper = stepper_of("repaint", resamplings=times, jump=jump)
    observation = _observation(lab, torch.zeros(2, 4, dtype=torch.float64))
    problem = lab.problem_of(denoise, observation, _Same(torch.zeros(2, 4, dtype=torch.float64)))
    stepper.solve(problem, torch.ones(2, 4, dtype=torch.float64), grid)
    assert ours == theirs
    assert len(ours) == stepper.cost(steps)


def test_the_jump_up_adds_the_noise_that_is_missing(lab: SimpleNamespace) -> None:
    """From x_then to x_now in law: a model of zeros makes every x a sum of the noise."""
    process = process_of("vp")
    grid = tuple(process.at_s(s) for s in (4.0, 2.0, 1.0))
    seen: list[tuple[float, Tensor]] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.append((float(s), y.clone()))
        return torch.zeros_like(y)

    stepper = stepper_of("repaint", resamplings=2)
    observation = _observation(lab, torch.zeros(1, 4, dtype=torch.float64))
    one = torch.ones(1, 4, dtype=torch.float64)
    stepper.solve(lab.problem_of(denoise, observation, _Same(one)), 0 * one, grid)
    first, again = (float(y[0, 1]) for s, y in seen if s == 2.0)
    # Down from y at level 2 to 1 with unit noise, then up by sqrt(2^2 - 1^2).
    down = first * 0.25 + math.sqrt(1 * (1 - 0.25))
    assert again == pytest.approx(down + math.sqrt(3.0))
