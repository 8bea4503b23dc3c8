"""The Radau IIA method of three stages."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from bench.api import Tableau
from bench_plugins.odes.implicit import ImplicitRungeKutta
from bench_plugins.odes.papers import HAIRER1996SOLVING

_R = sqrt(6)


@dataclass(frozen=True)
class RadauIIA(ImplicitRungeKutta):
    """Radau IIA in t, three stages, order 5; 13 evaluations per step.

    The last stage is the result. Sweeps start from the velocity at the step's start and are fixed
    in number, 1 + 3 ``sweeps`` evaluations.

    Attributes:
        sweeps: fixed-point sweeps in every step; the order is min(sweeps + 1, 5).
    """

    name: ClassVar[str] = "radau_iia"
    reference: ClassVar[str] = "Hairer and Wanner 1996, Section IV.5"
    bibtex: ClassVar[str] = HAIRER1996SOLVING
    limit: ClassVar[int] = 5
    tableau: ClassVar[Tableau] = Tableau(
        a=(
            ((88 - 7 * _R) / 360, (296 - 169 * _R) / 1800, (-2 + 3 * _R) / 225),
            ((296 + 169 * _R) / 1800, (88 + 7 * _R) / 360, (-2 - 3 * _R) / 225),
            ((16 - _R) / 36, (16 + _R) / 36, 1 / 9),
        ),
        b=((16 - _R) / 36, (16 + _R) / 36, 1 / 9),
        c=((4 - _R) / 10, (4 + _R) / 10, 1.0),
    )

    sweeps: int = 4
