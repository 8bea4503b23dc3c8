"""DPM-Solver++(2M)."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import MultistepOdeSolver, Past, Problem, Time, combine, paper


@dataclass(frozen=True)
class DpmSolverPP2M(MultistepOdeSolver):
    """DPM-Solver++(2M): second-order multistep exponential integrator in lambda, D predicted.

    Order 2, one evaluation per step; the first step is DDIM.

    Attributes:
        lower_order_final: make the last step DDIM too, the authors' safeguard of few steps
            (diffusers': below 15). Off, since the harness never steps to sigma = 0.
    """

    name: ClassVar[str] = "dpmpp_2m"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2211.01095, Algorithm 2"
    bibtex: ClassVar[str] = paper("lu2022dpmsolverpp")
    order: ClassVar[int] = 2
    max_order: ClassVar[int] = 2
    lower_order_final: bool = False

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        d, *before = past
        h, keep = then.lam - now.lam, then.sigma / now.sigma
        gain = -then.alpha * expm1(-h)
        if not before:
            return combine((keep, x), (gain, d.value))
        c = 0.5 * h / (now.lam - before[0].time.lam)
        return combine((keep, x), (gain * (1 + c), d.value), (-gain * c, before[0].value))
