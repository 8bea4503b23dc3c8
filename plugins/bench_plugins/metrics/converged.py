"""The converged probability-flow ODE, against which solvers are measured.

The classical Runge-Kutta method in t where s = t^7: the variable of Karras et al.'s grid, in which
the ODE is smooth from s_max down to s_min. All processes share the ODE in normalised coordinates,
so one reference serves them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import KUTTA4, ExplicitRungeKutta, NoiseProcess, Tableau, Time, uniform_times


@dataclass(frozen=True)
class SeventhPower(NoiseProcess):
    """alpha = 1, sigma(t) = t^7."""

    name: ClassVar[str] = "seventh_power"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Eq. 5 with rho = 7"

    @property
    def t_min(self) -> float:
        return 0.1

    @property
    def t_max(self) -> float:
        return 10.0

    def alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return t**7

    def time_at(self, s: Tensor) -> Tensor:
        return s ** (1 / 7)


@dataclass(frozen=True)
class ReferenceSolver(ExplicitRungeKutta):
    """The classical Runge-Kutta method, order 4."""

    name: ClassVar[str] = "reference_rk4"
    reference: ClassVar[str] = "Kutta 1901; Hairer, Norsett and Wanner 1993, Table II.1.2"
    order: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = KUTTA4


@dataclass(frozen=True)
class Converged:
    """A value of the converged ODE, and an estimate of its own root mean square error."""

    value: Tensor
    error: float

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        return self.value.nbytes


REFERENCE_SOLVER = ReferenceSolver()
REFERENCE_PROCESS = SeventhPower()


def converge(
    solve: Callable[[tuple[Time, ...]], Tensor], span: tuple[float, float], steps: int
) -> Converged:
    """``solve`` on the reference's grid of ``steps`` steps over s from span[0] to span[1].

    The error is Richardson's estimate for order 4: 1/15 of the difference to half as many steps.
    """
    fine, coarse = (
        solve(uniform_times(REFERENCE_PROCESS, n, *span)).double() for n in (steps, steps // 2)
    )
    return Converged(fine, float((fine - coarse).square().mean().sqrt()) / 15)
