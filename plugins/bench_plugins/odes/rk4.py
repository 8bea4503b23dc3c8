"""The classical Runge-Kutta method in t."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import KUTTA4, ExplicitRungeKutta, Tableau, paper
from bench_plugins.odes.papers import KUTTA1901BEITRAG


@dataclass(frozen=True)
class RK4(ExplicitRungeKutta):
    """The classical fourth-order Runge-Kutta method in t; four evaluations per step."""

    name: ClassVar[str] = "rk4"
    reference: ClassVar[str] = "Kutta 1901; Hairer, Norsett and Wanner 1993, Table II.1.2"
    bibtex: ClassVar[str] = paper("hairer1993solving") + KUTTA1901BEITRAG
    order: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = KUTTA4
