"""Euler's method in t."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import EULER, ExplicitRungeKutta, Tableau, paper
from bench_plugins.odes.papers import EULER1768INSTITUTIONUM


@dataclass(frozen=True)
class Euler(ExplicitRungeKutta):
    """Euler's method on the probability-flow ODE in t; order 1, one evaluation per step."""

    name: ClassVar[str] = "euler"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 13; Euler 1768"
    bibtex: ClassVar[str] = paper("song2021score") + EULER1768INSTITUTIONUM
    order: ClassVar[int] = 1
    tableau: ClassVar[Tableau] = EULER
