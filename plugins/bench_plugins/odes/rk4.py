"""The classical Runge-Kutta method in t."""

from dataclasses import dataclass
from typing import ClassVar

from bench_plugins.odes.tableau import ExplicitRungeKutta, Tableau


@dataclass(frozen=True)
class RK4(ExplicitRungeKutta):
    """The classical fourth-order Runge-Kutta method in t; four evaluations per step."""

    name: ClassVar[str] = "rk4"
    reference: ClassVar[str] = "Kutta 1901; Hairer, Norsett and Wanner 1993, Table II.1.2"
    order: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = Tableau(
        a=((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
        b=(1 / 6, 1 / 3, 1 / 3, 1 / 6),
        c=(0.0, 0.5, 0.5, 1.0),
    )
