"""RePaint: ancestral steps with replacement, repeated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, require
from bench_plugins.inverse.observed import replace_observed
from bench_plugins.inverse.papers import LUGMAYR2022REPAINT
from bench_plugins.inverse.reverse import ancestral_step

Plan = tuple[tuple[Time, ...], ...]
"""After each step that is left: the points from which it goes down again, or none."""


@dataclass(frozen=True)
class RePaint(Predictor[Plan]):
    """Ancestral steps, the observed part drawn from q(x_t | y), and the way walked again.

    When so many steps are left that ``jump`` divides them, noise is added that takes the state
    ``jump`` steps back up, and it goes down again, ``resamplings`` - 1 times; the first ``jump``
    steps are not repeated. N + (r - 1) j ceil((N - j) / j) evaluations for N > j steps. The
    authors' code turns at the same numbers of steps left but starts one step nearer to the data,
    so that with j = 1 it repeats the first step too, as does the paper's Algorithm 1. The jump up
    is one draw with the variance of j, and A is any linear operator. The observation's noise
    counts as part of x_t's and stays in the samples. The final denoise of the harness moves the
    observed part by about s_min.

    Attributes:
        resamplings: r, how often each stretch is walked.
        jump: j, its steps.
    """

    name: ClassVar[str] = "repaint"
    reference: ClassVar[str] = "Lugmayr et al. 2022, arXiv:2201.09865, Algorithm 1 and Section 4.2"
    bibtex: ClassVar[str] = LUGMAYR2022REPAINT
    order: ClassVar[int] = 1
    observes: ClassVar[bool] = True

    resamplings: int = 10
    jump: int = 1

    def __post_init__(self) -> None:
        require(self.resamplings >= 1, "resamplings must be >= 1")
        require(self.jump >= 1, "jump must be >= 1")

    def cost(self, steps: int) -> int:
        return steps + (self.resamplings - 1) * self.jump * len(self._turns(steps))

    def start(self, times: Sequence[Time]) -> Plan:
        steps = len(times) - 1
        plan: list[tuple[Time, ...]] = [()] * steps
        for left in self._turns(steps):
            end = steps - left
            plan[end - 1] = tuple(times[end - self.jump : end + 1])
        return tuple(plan)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Plan
    ) -> tuple[Tensor, Plan]:
        back, *left = state
        x = self._down(problem, x, now, then)
        for _ in range(self.resamplings - 1 if back else 0):
            high = back[0]
            std = high.alpha * math.sqrt((high.s - then.s) * (high.s + then.s))
            x = combine((high.alpha / then.alpha, x), (std, problem.normal()))
            for upper, lower in pairwise(back):
                x = self._down(problem, x, upper, lower)
        return x, tuple(left)

    def _down(self, problem: Problem, x: Tensor, now: Time, then: Time) -> Tensor:
        x = ancestral_step(x, problem.denoise(x, now), problem.normal(), now, then)
        return replace_observed(problem.observation, x, then, problem.normal())

    def _turns(self, steps: int) -> range:
        """The numbers of steps that are left where it turns back."""
        return range(0, steps - self.jump, self.jump)
