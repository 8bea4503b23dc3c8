"""DPM-Solver-fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Exponential, Past, Problem, Time, adams_weights, combine, weighted_terms
from bench_plugins.dpm.groups import GroupedSteps
from bench_plugins.dpm.papers import LU2022DPMSOLVER


@dataclass(frozen=True)
class DpmSolverFast(GroupedSteps):
    """DPM-Solver-fast: singlestep DPM-Solvers of order 3, and lower at the end, eps predicted.

    One evaluation per grid step: every point of the grid is a point of evaluation. Steps are taken
    in groups of three, the last ones in groups of 2 and 1, of 1 or of 2 (N mod 3 = 0, 1, 2), whose
    orders they are. Order 2, because a last step of order 1 leaves an error of order h^2; 3 where
    N mod 3 = 2.

    The grid sets the stages, so that the formula is the one that has its order wherever they lie:
    the integral of the polynomial through the group's evaluations ("taylor" in the authors' code,
    "heun" in diffusers). On grids uniform in lambda the stages are at thirds, as the authors have
    them; but their last, lower-order steps span as much of lambda as the others, here a grid step
    for each evaluation. What a corrector does to x within a group reaches its evaluations only.
    """

    name: ClassVar[str] = "dpm_fast"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2206.00927, Section 3.4 (DPM-Solver-fast)"
    bibtex: ClassVar[str] = LU2022DPMSOLVER

    def _evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def _from_start(self, x: Tensor, past: Past, then: Time) -> Tensor:
        now, nodes = past[0].time, tuple(e.time.lam for e in past)
        weights = adams_weights(nodes, now.lam, then.lam, Exponential(-1.0, then.lam))
        terms = weighted_terms([-then.sigma * w for w in weights], past)
        return combine((then.alpha / now.alpha, x), *terms)
