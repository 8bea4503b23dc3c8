"""Corrected Adams-Bashforth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import (
    MultistepOdeSolver,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    require,
    weighted_terms,
)
from bench_plugins.cab.papers import ROY2026CAB


@dataclass(frozen=True)
class Cab(MultistepOdeSolver):
    """Adams-Bashforth in s, and theta h (eps - eps'): what the last two values did not foresee.

    eps' is the line through the two evaluations before, at s of the newest: the defect eps - eps'
    is of second order in the step, the correction of third. One evaluation per step; the first is
    Euler's and the second Adams-Bashforth's of two values, as in the authors' code for EDM (that
    for flow matching takes these two in flow time). Order 2 with either ``highest``. On equal steps
    and with two values, theta = 5/12 is Adams-Bashforth of three.

    Attributes:
        highest: evaluations that Adams-Bashforth combines, 2 (CAB-2) or 3 (CAB-3).
        theta: weight of the correction; the authors take 0.9 for EDM and DiT, 0.2 for Qwen-Image.
    """

    name: ClassVar[str] = "cab"
    reference: ClassVar[str] = "Roy and Nair 2026, arXiv:2605.16736, CAB-2 and CAB-3"
    bibtex: ClassVar[str] = ROY2026CAB
    order: ClassVar[int] = 2

    highest: int = 2
    theta: float = 0.9

    def __post_init__(self) -> None:
        require(2 <= self.highest <= 3, "highest must be 2 or 3")
        require(self.theta >= 0, "theta must be >= 0")

    @property
    def max_order(self) -> int:
        return 3

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        levels = tuple(e.time.s for e in past)
        weights = list(adams_weights(levels[: self.highest], now.s, then.s))
        if len(past) == 3:
            ahead = (levels[0] - levels[1]) / (levels[1] - levels[2])
            defect = (1.0, -1 - ahead, ahead)
            weights += [0.0] * (3 - self.highest)
            size = self.theta * (then.s - now.s)
            weights = [w + size * c for w, c in zip(weights, defect, strict=True)]
        terms = weighted_terms([then.alpha * w for w in weights], past)
        return combine((then.alpha / now.alpha, x), *terms)
