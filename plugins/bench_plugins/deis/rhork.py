"""DEIS's Runge-Kutta methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import EULER, HEUN, KUTTA3, KUTTA4, OdeSolver, Problem, Time, combine, paper, require

TABLEAUX = EULER, HEUN, KUTTA3, KUTTA4


@dataclass(frozen=True)
class DeisRhoRK(OdeSolver[None]):
    """rhoRK-DEIS: a Runge-Kutta method on dy/ds = eps; the same under every process.

    Order and evaluations per step are the number of stages: Euler (DDIM), Heun (EDM's sampler),
    Kutta's method of third order, the classical method of fourth order.

    Attributes:
        stages: 1 to 4.
    """

    name: ClassVar[str] = "deis_rhork"
    reference: ClassVar[str] = "Zhang and Chen 2022, arXiv:2204.13902, Section 4"
    bibtex: ClassVar[str] = paper("zhang2023deis")

    stages: int = 2

    def __post_init__(self) -> None:
        require(1 <= self.stages <= 4, "stages must lie between 1 and 4")

    @property
    def order(self) -> int:
        return self.stages

    def cost(self, steps: int) -> int:
        return self.stages * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        tableau, ds = TABLEAUX[self.stages - 1], then.s - now.s
        slopes = [problem.eps(x, now)]

        def at(time: Time, row: tuple[float, ...]) -> Tensor:
            parts = ((time.alpha * ds * a, k) for a, k in zip(row, slopes, strict=True) if a != 0)
            return combine((time.alpha / now.alpha, x), *parts)

        for row, node in zip(tableau.a, tableau.c[1:], strict=True):
            time = then if node == 1.0 else problem.process.at_s(now.s + node * ds)
            slopes.append(problem.eps(at(time, row), time))
        return at(then, tableau.b), None
