"""DPM-Solver++(3M)."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import MultistepOdeSolver, Past, Problem, Time, combine, paper, weighted_terms
from bench_plugins.dpm.multistep import multistep_weights


@dataclass(frozen=True)
class DpmSolverPP3M(MultistepOdeSolver):
    """DPM-Solver++(3M): three-step exponential integrator in lambda, D predicted.

    Order 2, one evaluation per step; it starts with DDIM and 2M. Nominally of order 3, which it
    has not for two reasons: the start, and the authors' formula, which gives the second difference
    half of Taylor's weight. The formula is theirs here, as all published figures are.

    Attributes:
        lower_order_final: make the last step DDIM and the one before 2M, the safeguard of few
            steps in the authors' code, and in diffusers below 15 steps.
    """

    name: ClassVar[str] = "dpmpp_3m"
    reference: ClassVar[str] = (
        "Lu et al. 2022, arXiv:2211.01095, Section 4.2; the authors' code, multistep order 3"
    )
    bibtex: ClassVar[str] = paper("lu2022dpmsolverpp")
    order: ClassVar[int] = 2
    max_order: ClassVar[int] = 3

    lower_order_final: bool = False

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        h = then.lam - now.lam
        value = -then.alpha * expm1(-h)
        slope = then.alpha * (expm1(-h) / h + 1)
        bend = then.alpha * (0.5 - (expm1(-h) + h) / h**2)
        weights = multistep_weights(past, then.lam, (value, slope, bend))
        return combine((then.sigma / now.sigma, x), *weighted_terms(weights, past))
