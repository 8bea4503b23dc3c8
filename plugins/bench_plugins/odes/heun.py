"""Heun's method in t."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import HEUN, ExplicitRungeKutta, Tableau, paper
from bench_plugins.odes.papers import HEUN1900NEUE


@dataclass(frozen=True)
class Heun(ExplicitRungeKutta):
    """Heun's second-order method in t (the explicit trapezoid rule); two evaluations per step."""

    name: ClassVar[str] = "heun"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Section II.1; Heun 1900"
    bibtex: ClassVar[str] = paper("hairer1993solving") + HEUN1900NEUE
    order: ClassVar[int] = 2
    tableau: ClassVar[Tableau] = HEUN
