"""AMED and EPD: gradients at learned points within the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Problem, paper, require
from bench_plugins.learned.papers import ZHU2025DISTILLING
from bench_plugins.learned.stepper import LearnedSolver, Number, Past, ask, ask_all


@dataclass(frozen=True)
class Amed(LearnedSolver):
    """y' = y + c (s' - s) eps(y_m; s_m), whose intermediate point s_m and scale c are learned.

    y_m = y + (s_m - s) eps(y; s), with s_m between s and s' in the logarithm: the mean value of
    eps over a step is near to its value at one point, since paths lie near a plane. Two evaluations
    a step. Without calibration s_m is the geometric mean and c = 1, DPM-Solver-2. The paper's
    predictor of s_m and c is a small network on the features of the U-Net's bottleneck; here they
    are numbers of each step, the same for all samples, since a denoiser shows no features.

    Attributes:
        samples: starts to learn from.
        iterations: of L-BFGS, each a little more than 2 steps x samples evaluations and gradients.
        fine_steps: steps of the teacher.
        file: numbers that `bench calibrate` kept; nothing is learned then.
    """

    name: ClassVar[str] = "amed"
    reference: ClassVar[str] = "Zhou et al. 2024, arXiv:2312.00094, AMED-Solver"
    bibtex: ClassVar[str] = paper("zhou2024fast")
    order: ClassVar[int] = 2

    @property
    def width(self) -> int:
        return 2

    def cost(self, steps: int) -> int:
        return 2 * steps

    def move(
        self,
        problem: Problem,
        y: Tensor,
        span: tuple[float, float],
        change: Sequence[Number],
        past: Past,
    ) -> tuple[Tensor, Past]:
        now, then = span
        eps = (y - ask(problem, y, now)) / now
        middle = _between(now, then, 0.5, change[0])
        y_m = y + (middle - now) * eps
        eps = (y_m - ask(problem, y_m, middle)) / middle
        return y + (then - now) * (1 + change[1]) * eps, ()


@dataclass(frozen=True)
class Epd(LearnedSolver):
    """y' = y + (s' - s) sum_k w_k eps(y_k; .), from ``points`` gradients in parallel.

    y_k = y + (s_k - s) eps(y; s). The points s_k within the step, their weights w_k, whose sum may
    differ from 1, and the levels within the step at which the network is told that y_k lies are
    learned for each step. 1 + ``points`` evaluations a step, of which two wait for one another:
    that is the column ``depth``, the paper's NFE. Without calibration the points lie at the middles
    of equal parts of the step in lambda, with equal weights, a method of order 2.

    Attributes:
        points: gradients in parallel, 1 to 8; 2 in the paper.
        samples: starts to learn from.
        iterations: of L-BFGS, each a little more than (1 + points) steps x samples evaluations
            and gradients.
        fine_steps: steps of the teacher.
        file: numbers that `bench calibrate` kept; nothing is learned then.
    """

    name: ClassVar[str] = "epd"
    reference: ClassVar[str] = "Zhu et al. 2025, arXiv:2507.14797, EPD-Solver"
    bibtex: ClassVar[str] = ZHU2025DISTILLING
    order: ClassVar[int] = 2

    points: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.points <= 8, "points must lie between 1 and 8")

    @property
    def width(self) -> int:
        return 3 * self.points

    def cost(self, steps: int) -> int:
        return (1 + self.points) * steps

    def depth(self, steps: int) -> int:
        return 2 * steps

    def move(
        self,
        problem: Problem,
        y: Tensor,
        span: tuple[float, float],
        change: Sequence[Number],
        past: Past,
    ) -> tuple[Tensor, Past]:
        (now, then), k = span, self.points
        eps = (y - ask(problem, y, now)) / now
        shares = [(i + 0.5) / k for i in range(k)]
        places = [_between(now, then, p, c) for p, c in zip(shares, change[:k], strict=True)]
        told = [
            _between(now, then, p, c) for p, c in zip(shares, _told_changes(change, k), strict=True)
        ]
        states = [y + (place - now) * eps for place in places]
        found = ask_all(problem, list(zip(states, told, strict=True)))
        for state, place, d, weight in zip(states, places, found, change[k : 2 * k], strict=True):
            y = y + (then - now) * (1 / k + weight) * ((state - d) / place)
        return y, ()


def _told_changes(change: Sequence[Number], points: int) -> list[Number]:
    """Changes of the levels told: those of the points and their own, so that zero means true."""
    return [c + own for c, own in zip(change[:points], change[2 * points :], strict=True)]


def _between(now: float, then: float, share: float, change: Number) -> Number:
    """The level at ``share`` of the step in ln s; ``change`` moves the share's logit."""
    logit = math.log(share / (1 - share)) + change
    if isinstance(logit, Tensor):
        return torch.exp(math.log(now) + torch.sigmoid(logit) * math.log(then / now))
    return math.exp(math.log(now) + math.log(then / now) / (1 + math.exp(-logit)))
