"""Restart sampling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Predictor,
    Problem,
    Time,
    UnsupportedError,
    combine,
    karras_heun,
    karras_times,
    require,
)
from bench_plugins.restart.papers import XU2023RESTART


@dataclass(frozen=True)
class Loop:
    """The level that a restart goes up to, its repeats, and the steps of each way back."""

    s_high: float
    repeats: int
    steps: int


Plan = tuple[tuple[Loop, ...], ...]
"""The restarts that follow each step that is left."""


@dataclass(frozen=True)
class Restart(Predictor[Plan]):
    """Heun's steps of ``edm_heun``, and back up from a low level to a high one, several times.

    When the grid reaches the point nearest to ``s_low`` (of those below ``s_high``), noise is
    added up to s_high and Heun goes back on a Karras grid (rho = 7), K times. 2 N evaluations for
    N steps, and 2 K n for each interval. In normalised coordinates y = x / alpha, so that it is
    the same under every process. Two intervals at one point follow each other (the authors' code
    forgets the first); there is no S_noise.

    The authors keep the steps of the way back, whatever N is, and so does ``main_points`` = 0: the
    error of these steps is then a floor, and the order 0. With more they grow in proportion to N,
    and the weak order is 2.

    Attributes:
        intervals: (s_low, s_high, repeats K, steps n of the way back) of each. The paper counts
            grid points: its N_Restart is n + 1. By default CIFAR-10's [3, 2, 0.06, 0.30], which
            with 17 steps and the final denoise costs its 43 evaluations.
        main_points: the paper's N_main (grid points, one more than steps) for which n is given;
            with N + 1 points it is n (N + 1) / main_points, rounded down, at least 1.
    """

    name: ClassVar[str] = "restart"
    reference: ClassVar[str] = "Xu et al. 2023, arXiv:2306.14878, Algorithm 1 and Table 3"
    bibtex: ClassVar[str] = XU2023RESTART

    intervals: tuple[tuple[float, float, int, int], ...] = ((0.06, 0.30, 2, 2),)
    main_points: int = 18

    def __post_init__(self) -> None:
        for low, high, repeats, steps in self.intervals:
            require(0 < low < high, "an interval must have 0 < s_low < s_high")
            require(repeats >= 1 and steps >= 1, "an interval must have repeats and steps >= 1")
        require(self.main_points >= 0, "main_points must be >= 0")

    @property
    def order(self) -> int:
        return 2 if self.main_points > 0 or not self.intervals else 0

    def cost(self, steps: int) -> int:
        loops = sum(repeats * self._inner(n, steps) for _, _, repeats, n in self.intervals)
        return 2 * (steps + loops)

    def start(self, times: Sequence[Time]) -> Plan:
        plan: list[tuple[Loop, ...]] = [() for _ in times[1:]]
        for low, high, repeats, n in self.intervals:
            below = [i for i, then in enumerate(times[1:]) if then.s < high]
            if not below or times[0].s < high:
                raise UnsupportedError(
                    f"the grid runs from s = {times[0].s:g} to {times[-1].s:g} and does not pass "
                    f"the restart interval from {low:g} to {high:g}; set `intervals` to its range"
                )
            nearest = min(below, key=lambda i: abs(times[i + 1].s - low))
            plan[nearest] += (Loop(high, repeats, self._inner(n, len(plan))),)
        return tuple(plan)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Plan
    ) -> tuple[Tensor, Plan]:
        loops, *left = state
        x = karras_heun(problem, x, now, then)
        for loop in loops:
            back = karras_times(problem.process, loop.steps, then.s, loop.s_high)
            high = back[0]
            std = math.sqrt((high.s - then.s) * (high.s + then.s))
            for _ in range(loop.repeats):
                x = combine((high.alpha / then.alpha, x), (high.alpha * std, problem.normal()))
                for upper, lower in pairwise((*back[:-1], then)):
                    x = karras_heun(problem, x, upper, lower)
        return x, tuple(left)

    def _inner(self, n: int, steps: int) -> int:
        """The steps of the way back, with ``steps`` main steps."""
        return max(1, n * (steps + 1) // self.main_points) if self.main_points else n
