"""Explicit Runge-Kutta methods for the probability-flow ODE in t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine


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


@dataclass(frozen=True)
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
            stage = combine((1.0, x), *_weighted(dt, row, slopes))
            time = then if node == 1.0 else problem.at(now.t + node * dt)
            slopes.append(problem.velocity(stage, time))
        return combine((1.0, x), *_weighted(dt, self.tableau.b, slopes)), None


def _weighted(
    dt: float, weights: tuple[float, ...], slopes: list[Tensor]
) -> list[tuple[float, Tensor]]:
    return [(dt * w, k) for w, k in zip(weights, slopes, strict=True) if w != 0.0]
