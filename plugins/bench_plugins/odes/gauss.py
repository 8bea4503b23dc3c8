"""The Gauss-Legendre method of two stages."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from bench.api import Tableau
from bench_plugins.odes.implicit import ImplicitRungeKutta
from bench_plugins.odes.papers import HAIRER1996SOLVING

_R = sqrt(3) / 6


@dataclass(frozen=True)
class Gauss(ImplicitRungeKutta):
    """Gauss-Legendre's implicit method in t, two stages, order 4; seven evaluations per step.

    Symmetric: with converged sweeps a step back undoes a step. Sweeps start from the velocity at
    the step's start and are fixed in number, 1 + 2 ``sweeps`` evaluations.

    Attributes:
        sweeps: fixed-point sweeps in every step; the order is min(sweeps + 1, 4).
    """

    name: ClassVar[str] = "gauss"
    reference: ClassVar[str] = "Hairer and Wanner 1996, Section IV.5"
    bibtex: ClassVar[str] = HAIRER1996SOLVING
    limit: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = Tableau(
        a=((0.25, 0.25 - _R), (0.25 + _R, 0.25)), b=(0.5, 0.5), c=(0.5 - _R, 0.5 + _R)
    )

    sweeps: int = 3
