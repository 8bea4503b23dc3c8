"""The nature of a function, measured on a model that costs nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Problem, Time

_SHAPE = (1, 1, 1)  # one dimension, in the form of an image, as many functions expect
_LOW, _HIGH, _RHO = 0.002, 80.0, 7.0

Run = Callable[[Problem, Tensor, tuple[Time, ...]], Tensor]


@dataclass(frozen=True)
class Trigonometric(NoiseProcess):
    """alpha = cos(pi t / 2), sigma = sin(pi t / 2): variance-preserving, in closed form."""

    name: ClassVar[str] = "trigonometric"
    reference: ClassVar[str] = "for measuring the cost of functions"

    @property
    def t_min(self) -> float:
        return 1e-3

    @property
    def t_max(self) -> float:
        return 0.999

    def alpha(self, t: Tensor) -> Tensor:
        return torch.cos(math.pi / 2 * t)

    def sigma(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * t)

    def time_at(self, s: Tensor) -> Tensor:
        return torch.atan(s) * 2 / math.pi


PROCESS = Trigonometric()


@dataclass(frozen=True)
class Nature:
    """Attributes of a function, as measured.

    Attributes:
        stochastic: another seed gives other samples.
        coupled: a sample depends on the others of its batch.
    """

    stochastic: bool
    coupled: bool


def ramp(steps: int) -> tuple[Time, ...]:
    """The levels of Karras et al. 2022, Eq. 5, on the probe's process."""
    high, low = _HIGH ** (1 / _RHO), _LOW ** (1 / _RHO)
    places = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    return tuple(map(PROCESS.at_s, ((high + places * (low - high)) ** _RHO).tolist()))


def evaluations(run: Run, steps: int) -> int:
    """Network evaluations of one sample in ``steps`` steps."""
    rows: list[int] = []

    def free(y: Tensor, s: Tensor) -> Tensor:
        rows.append(len(y))
        return y / (1 + s * s)

    times = ramp(steps)
    run(Problem(PROCESS, free, _noise(0, 1)), _start(times, 1), times)
    return sum(rows)


def nature(run: Run) -> Nature:
    """Run it a few times, over few steps."""
    times = ramp(4)

    def end(seed: int, count: int) -> Tensor:
        return run(Problem(PROCESS, _bent, _noise(seed, count)), _start(times, count), times)

    three = end(0, 3)
    return Nature(_differ(three, end(1, 3)), _differ(three[:1], end(0, 1)))


def _bent(y: Tensor, s: Tensor) -> Tensor:
    """E[x_0 | y] of two points, -1 and 1: what acts on a batch as a whole shows."""
    return torch.tanh(y / (0.3 + s * s))


def _differ(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() > 1e-9)


def _noise(seed: int, count: int) -> NoiseStream:
    return NoiseStream(seed, "probe", 0, count, _SHAPE, torch.float64)


def _start(times: tuple[Time, ...], count: int) -> Tensor:
    return NoiseStream(0, "prior", 0, count, _SHAPE, torch.float64).normal() * times[0].sigma
