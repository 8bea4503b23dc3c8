"""Heun's third-order method in t."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import ExplicitRungeKutta, Tableau, paper
from bench_plugins.odes.papers import HEUN1900NEUE


@dataclass(frozen=True)
class Heun3(ExplicitRungeKutta):
    """Heun's third-order method in t; three evaluations per step."""

    name: ClassVar[str] = "heun3"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Table II.1.1; Heun 1900"
    bibtex: ClassVar[str] = paper("hairer1993solving") + HEUN1900NEUE
    order: ClassVar[int] = 3
    tableau: ClassVar[Tableau] = Tableau(
        a=((1 / 3,), (0.0, 2 / 3)), b=(0.25, 0.0, 0.75), c=(0.0, 1 / 3, 2 / 3)
    )
