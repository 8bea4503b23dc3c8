"""DPM-Solver-3."""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine
from bench_plugins.dpm.papers import LU2022DPMSOLVER

R1, R2 = 1 / 3, 2 / 3  # the last formula has order 3 for R2 = 2/3 only


@dataclass(frozen=True)
class DpmSolver3(OdeSolver[None]):
    """DPM-Solver-3: third-order singlestep exponential integrator in lambda, eps predicted.

    Order 3, three evaluations per step, at thirds of the step in lambda.
    """

    name: ClassVar[str] = "dpm_solver_3"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2206.00927, Algorithm 2"
    bibtex: ClassVar[str] = LU2022DPMSOLVER
    order: ClassVar[int] = 3

    def cost(self, steps: int) -> int:
        return 3 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        h = then.lam - now.lam
        first, second = problem.at_lam(now.lam + R1 * h), problem.at_lam(now.lam + R2 * h)
        eps = problem.eps(x, now)
        keep, gain, _ = _gains(now, first)
        eps_1 = problem.eps(combine((keep, x), (gain, eps)), first)
        keep, gain, bend = _gains(now, second)
        c = bend * R2 / R1
        eps_2 = problem.eps(combine((keep, x), (gain - c, eps), (c, eps_1)), second)
        keep, gain, bend = _gains(now, then)
        c = bend / R2
        return combine((keep, x), (gain - c, eps), (c, eps_2)), None


def _gains(now: Time, then: Time) -> tuple[float, float, float]:
    """Weights of x, eps and its rise over the step: exact for eps linear in lambda."""
    h = then.lam - now.lam
    return (
        then.alpha / now.alpha,
        -then.sigma * expm1(h),
        -then.sigma * (expm1(h) / h - 1),
    )
