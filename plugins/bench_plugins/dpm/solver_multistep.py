"""DPM-Solver as a multistep method."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import HighestOrder, MultistepOdeSolver, Past, Problem, Time, combine, weighted_terms
from bench_plugins.dpm.multistep import multistep_weights
from bench_plugins.dpm.papers import LU2022DPMSOLVER


@dataclass(frozen=True)
class DpmSolverMultistep(HighestOrder, MultistepOdeSolver):
    """Multistep DPM-Solver: the formulas of DPM-Solver++(2M) and (3M) for the predicted eps.

    Order min(highest, 2), one evaluation per step; it starts with DDIM. Order 3 is not reached
    with three evaluations for the reasons that ``dpmpp_3m`` gives.

    Attributes:
        highest: evaluations that a step uses: 1 (DDIM), 2 or 3.
        lower_order_final: at most as many evaluations as there are steps left.
    """

    name: ClassVar[str] = "dpm_solver_multistep"
    reference: ClassVar[str] = (
        "Lu et al. 2022, arXiv:2206.00927; the authors' code, dpmsolver with method multistep"
    )
    bibtex: ClassVar[str] = LU2022DPMSOLVER

    most: ClassVar[int] = 3
    highest: int = 2
    lower_order_final: bool = False

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        h = then.lam - now.lam
        value = -then.sigma * expm1(h)
        slope = -then.sigma * (expm1(h) / h - 1)
        bend = -then.sigma * ((expm1(h) - h) / h**2 - 0.5)
        weights = multistep_weights(past, then.lam, (value, slope, bend))
        return combine((then.alpha / now.alpha, x), *weighted_terms(weights, past))
