"""The explicit midpoint method in t."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import ExplicitRungeKutta, Tableau, paper
from bench_plugins.odes.papers import RUNGE1895UEBER


@dataclass(frozen=True)
class Midpoint(ExplicitRungeKutta):
    """The explicit midpoint method in t; order 2, two evaluations per step."""

    name: ClassVar[str] = "midpoint"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Section II.1; Runge 1895"
    bibtex: ClassVar[str] = paper("hairer1993solving") + RUNGE1895UEBER
    order: ClassVar[int] = 2
    tableau: ClassVar[Tableau] = Tableau(a=((0.5,),), b=(0.0, 1.0), c=(0.0, 0.5))
