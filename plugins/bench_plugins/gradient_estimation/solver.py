"""The gradient-estimation sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import MultistepOdeSolver, Past, Problem, Time, combine, require
from bench_plugins.gradient_estimation.papers import PERMENTER2024INTERPRETING


@dataclass(frozen=True)
class GradientEstimation(MultistepOdeSolver):
    """y_then = y + (s_then - s_now) (gamma eps + (1 - gamma) eps_before); the first step is DDIM.

    One evaluation per step, order 1. The Adams-Bashforth method has gamma = 1 + h / (2 h_before),
    which is 3/2 on equal steps of s: the order is 2 only where steps shrink by 2 (gamma - 1). In y
    it is the same under every process.

    Attributes:
        gamma: weight of the newest eps; 1 is DDIM, the paper and ComfyUI have 2.
        lower_order_final: make the last step DDIM too.
    """

    name: ClassVar[str] = "gradient_estimation"
    reference: ClassVar[str] = (
        "Permenter and Yuan 2024, arXiv:2306.04848, the gradient-estimation sampler"
    )
    bibtex: ClassVar[str] = PERMENTER2024INTERPRETING
    order: ClassVar[int] = 1
    max_order: ClassVar[int] = 2

    gamma: float = 2.0
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(self.gamma > 0, "gamma must be > 0")

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        step, keep = then.alpha * (then.s - now.s), then.alpha / now.alpha
        if len(past) == 1:
            return combine((keep, x), (step, past[0].value))
        terms = (step * self.gamma, past[0].value), (step * (1 - self.gamma), past[1].value)
        return combine((keep, x), *terms)
