"""DPM-Solver++(2M)."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine


@dataclass(frozen=True, eq=False)
class Previous:
    """The last evaluation: its half log-SNR and its denoised sample."""

    lam: float
    d: Tensor


@dataclass(frozen=True)
class DpmSolverPP2M(OdeSolver[Previous]):
    """DPM-Solver++(2M): second-order multistep exponential integrator in lambda, D predicted.

    Order 2, one evaluation per step; the first step is DDIM. The last step stays second order
    (diffusers' ``lower_order_final`` makes it first order): the harness never steps to sigma = 0.
    """

    name: ClassVar[str] = "dpmpp_2m"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2211.01095, Algorithm 2"
    order: ClassVar[int] = 2

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Previous | None
    ) -> tuple[Tensor, Previous]:
        d, h = problem.denoise(x, now), then.lam - now.lam
        keep, gain = then.sigma / now.sigma, -then.alpha * expm1(-h)
        here = Previous(now.lam, d)
        if state is None:
            return combine((keep, x), (gain, d)), here
        c = 0.5 * h / (now.lam - state.lam)
        return combine((keep, x), (gain * (1 + c), d), (-gain * c, state.d)), here
