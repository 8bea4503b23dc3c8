"""DPM-Solver-2."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, require
from bench_plugins.dpm.papers import LU2022DPMSOLVER


@dataclass(frozen=True)
class DpmSolver2(OdeSolver[None]):
    """DPM-Solver-2: second-order singlestep exponential integrator in lambda, eps predicted.

    Order 2, two evaluations per step.

    Attributes:
        r1: where the second evaluation lies, as a share of the step in lambda.
    """

    name: ClassVar[str] = "dpm_solver_2"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2206.00927, Algorithm 1"
    bibtex: ClassVar[str] = LU2022DPMSOLVER
    order: ClassVar[int] = 2

    r1: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.r1 <= 1, "r1 must lie in (0, 1]")

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        h = then.lam - now.lam
        middle = problem.at_lam(now.lam + self.r1 * h)
        keep, gain = middle.alpha / now.alpha, -middle.sigma * expm1(self.r1 * h)
        eps = problem.eps(x, now)
        eps_1 = problem.eps(combine((keep, x), (gain, eps)), middle)
        keep, gain = then.alpha / now.alpha, -then.sigma * expm1(h)
        c = 0.5 / self.r1
        return combine((keep, x), (gain * (1 - c), eps), (gain * c, eps_1)), None
