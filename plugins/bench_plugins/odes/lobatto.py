"""The Lobatto IIIC method of three stages."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import Tableau
from bench_plugins.odes.implicit import ImplicitRungeKutta
from bench_plugins.odes.papers import HAIRER1996SOLVING


@dataclass(frozen=True)
class LobattoIIIC(ImplicitRungeKutta):
    """Lobatto IIIC in t, three stages, order 4; ten evaluations per step.

    Its first stage lies at the step's start, where x is still to be found, and its last stage is
    the result. Sweeps start from the velocity at the step's start and are fixed in number, 1 + 3
    ``sweeps`` evaluations.

    Attributes:
        sweeps: fixed-point sweeps in every step; the order is min(sweeps + 1, 4).
    """

    name: ClassVar[str] = "lobatto_iiic"
    reference: ClassVar[str] = "Hairer and Wanner 1996, Section IV.5"
    bibtex: ClassVar[str] = HAIRER1996SOLVING
    limit: ClassVar[int] = 4
    tableau: ClassVar[Tableau] = Tableau(
        a=((1 / 6, -1 / 3, 1 / 6), (1 / 6, 5 / 12, -1 / 12), (1 / 6, 2 / 3, 1 / 6)),
        b=(1 / 6, 2 / 3, 1 / 6),
        c=(0.0, 0.5, 1.0),
    )

    sweeps: int = 3
