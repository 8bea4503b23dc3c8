"""Explicit Runge-Kutta methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.core.combine import combine
from bench.core.problem import Problem
from bench.core.process import Time
from bench.core.solver import OdeSolver


@dataclass(frozen=True)
class Tableau:
    """A Butcher tableau: rows ``a`` (from stage 2 on), weights ``b``, nodes ``c``."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]

    @property
    def stages(self) -> int:
        """Evaluations per step."""
        return len(self.b)


# Hairer, Norsett and Wanner 1993, Sections II.1 and II.2.
EULER = Tableau(a=(), b=(1.0,), c=(0.0,))
"""Euler's method, order 1."""
HEUN = Tableau(a=((1.0,),), b=(0.5, 0.5), c=(0.0, 1.0))
"""Heun's method, order 2."""
KUTTA3 = Tableau(a=((0.5,), (-1.0, 2.0)), b=(1 / 6, 2 / 3, 1 / 6), c=(0.0, 0.5, 1.0))
"""Kutta's method of order 3."""
KUTTA4 = Tableau(
    a=((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
    c=(0.0, 0.5, 0.5, 1.0),
)
"""The classical method of order 4."""


class ExplicitRungeKutta(OdeSolver[None]):
    """dx/dt = velocity(x, t) by the method of ``tableau``. Its error depends on the process."""

    tableau: ClassVar[Tableau]

    def cost(self, steps: int) -> int:
        return self.tableau.stages * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        dt = then.t - now.t
        slopes = [problem.velocity(x, now)]
        for row, node in zip(self.tableau.a, self.tableau.c[1:], strict=True):
            stage = combine((1.0, x), *_terms(dt, row, slopes))
            time = then if node == 1.0 else problem.at(now.t + node * dt)
            slopes.append(problem.velocity(stage, time))
        return combine((1.0, x), *_terms(dt, self.tableau.b, slopes)), None


def _terms(
    dt: float, weights: tuple[float, ...], slopes: list[Tensor]
) -> list[tuple[float, Tensor]]:
    return [(dt * w, k) for w, k in zip(weights, slopes, strict=True) if w != 0.0]
