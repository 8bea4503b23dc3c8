"""S4S: a linear multistep method whose coefficients are learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.api import Exponential, Problem, adams_weights, require
from bench_plugins.learned.papers import FRANKEL2025S4S
from bench_plugins.learned.stepper import LearnedSolver, Number, Past, ask


@dataclass(frozen=True)
class S4S(LearnedSolver):
    """y' = a y + sum_j b_j v_j, whose b_j are learned for each step, from a known method on.

    The last ``highest`` evaluations v_j are eps, a = 1 and b_j those of Adams-Bashforth in s
    (``adams``), or they are D, a = s'/s and b_j those of exponential Adams in lambda, to which
    DPM-Solver++ belongs (``dpmpp``). The first steps have as many as there are. As in LD3
    (arXiv:2405.15506) the network may be told another noise level than the state's, s exp(c) with
    c learned for each step but the first and |c| < 1/2. Times are the cell's grid: S4S-Alt, which
    learns these too, is this solver on the grid ``ld3`` or ``oss``. The relaxed objective of the
    paper is not used. Order 2, since the first step is Euler's; learned, the error at the budget
    counts and no order is claimed.

    Attributes:
        base: the method from which it starts.
        highest: the most evaluations that a step combines, 1 to 4.
        told: whether the levels that the network is told are learned.
        samples: starts to learn from.
        iterations: of L-BFGS, each a little more than steps x samples evaluations and gradients.
        fine_steps: steps of the teacher.
        file: numbers that `bench calibrate` kept; nothing is learned then.
    """

    name: ClassVar[str] = "s4s"
    reference: ClassVar[str] = "Frankel et al. 2025, arXiv:2502.17423, S4S"
    bibtex: ClassVar[str] = FRANKEL2025S4S

    base: Literal["adams", "dpmpp"] = "adams"
    highest: int = 3
    told: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.highest <= 4, "highest must lie between 1 and 4")

    @property
    def order(self) -> int:
        return min(self.highest, 2)

    @property
    def width(self) -> int:
        return self.highest + 1

    def move(
        self,
        problem: Problem,
        y: Tensor,
        span: tuple[float, float],
        change: Sequence[Number],
        past: Past,
    ) -> tuple[Tensor, Past]:
        now, then = span
        d = ask(problem, y, now * _factor(change[-1]) if self.told and past else now)
        value = (y - d) / now if self.base == "adams" else d
        past = ((now, value), *past)[: self.highest]
        keep, unit, weights = self._coefficients(past, then)
        y = keep * y
        for weight, move, (_, v) in zip(weights, change, past, strict=False):
            y = y + (weight + unit * move) * v
        return y, past

    def _coefficients(self, past: Past, then: float) -> tuple[float, float, tuple[float, ...]]:
        """a, the size in which changes of b are measured, and b."""
        now, nodes = past[0][0], tuple(s for s, _ in past)
        if self.base == "adams":
            return 1.0, then - now, adams_weights(nodes, now, then)
        end = -math.log(then)
        lams = tuple(-math.log(s) for s in nodes)
        weights = adams_weights(lams, lams[0], end, Exponential(1.0, end))
        return then / now, 1 - then / now, weights


def _factor(change: Number) -> Number:
    """exp(c), |c| < 1/2, with c about ``change`` where that is small."""
    if isinstance(change, Tensor):
        return torch.exp(0.5 * torch.tanh(2 * change))
    return math.exp(0.5 * math.tanh(2 * change))
