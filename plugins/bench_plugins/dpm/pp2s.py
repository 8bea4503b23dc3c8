"""DPM-Solver++(2S)."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, paper, require


@dataclass(frozen=True)
class DpmSolverPP2S(OdeSolver[None]):
    """DPM-Solver++(2S): second-order singlestep exponential integrator in lambda, D predicted.

    Order 2, two evaluations per step.

    Attributes:
        r: where the second evaluation lies, as a share of the step in lambda.
    """

    name: ClassVar[str] = "dpmpp_2s"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2211.01095, Algorithm 1"
    bibtex: ClassVar[str] = paper("lu2022dpmsolverpp")
    order: ClassVar[int] = 2

    r: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.r <= 1, "r must lie in (0, 1]")

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        h = then.lam - now.lam
        middle = problem.at_lam(now.lam + self.r * h)
        keep, gain = middle.sigma / now.sigma, -middle.alpha * expm1(-self.r * h)
        d = problem.denoise(x, now)
        d_1 = problem.denoise(combine((keep, x), (gain, d)), middle)
        keep, gain = then.sigma / now.sigma, -then.alpha * expm1(-h)
        c = 0.5 / self.r
        return combine((keep, x), (gain * (1 - c), d), (gain * c, d_1)), None
