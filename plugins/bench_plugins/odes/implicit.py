"""Implicit Runge-Kutta methods in t, solved by a fixed number of fixed-point sweeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Tableau, Time, combine, require


@dataclass(frozen=True)
class ImplicitRungeKutta(OdeSolver[None]):
    """dx/dt = velocity(x, t) by the method of ``tableau``, whose rows ``a`` are full.

    All slopes begin as the velocity at the step's start; a sweep evaluates every stage with the
    slopes of the sweep before. Each sweep adds one to the order, up to the method's own: after k of
    them it is min(k + 1, that), at 1 + k stages evaluations per step. The number of sweeps is
    fixed, so that the cost is known and samples do not depend on each other: for steps so small
    that the sweeps converge, as references need them. Stiff problems would need Newton's method.

    Attributes:
        sweeps: fixed-point sweeps in every step.
    """

    tableau: ClassVar[Tableau]
    limit: ClassVar[int]
    """The order of the method itself."""

    sweeps: int

    def __post_init__(self) -> None:
        require(self.sweeps >= 1, "sweeps must be >= 1")

    @property
    def order(self) -> int:
        return min(self.sweeps + 1, self.limit)

    def cost(self, steps: int) -> int:
        return steps * (1 + self.sweeps * self.tableau.stages)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        dt, points = then.t - now.t, [self._point(problem, now, then, c) for c in self.tableau.c]
        slopes = [problem.velocity(x, now)] * self.tableau.stages
        for _ in range(self.sweeps):
            states = [_advance(x, dt, row, slopes) for row in self.tableau.a]
            slopes = [problem.velocity(y, t) for y, t in zip(states, points, strict=True)]
        return _advance(x, dt, self.tableau.b, slopes), None

    def _point(self, problem: Problem, now: Time, then: Time, c: float) -> Time:
        if c in (0.0, 1.0):
            return then if c else now
        return problem.at(now.t + c * (then.t - now.t))


def _advance(x: Tensor, dt: float, weights: tuple[float, ...], slopes: list[Tensor]) -> Tensor:
    return combine((1.0, x), *((dt * w, k) for w, k in zip(weights, slopes, strict=True)))
