"""DPM-Solver++ in the manner of DPM-Solver-fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Exponential,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    paper,
    weighted_terms,
)
from bench_plugins.dpm.groups import GroupedSteps


@dataclass(frozen=True)
class DpmSolverPPFast(GroupedSteps):
    """DPM-Solver-fast with D predicted in place of eps: singlestep DPM-Solver++ of orders 3, 2, 1.

    As ``dpm_fast`` in all else: one evaluation per grid step, order 2, 3 where N mod 3 = 2.
    """

    name: ClassVar[str] = "dpmpp_fast"
    reference: ClassVar[str] = (
        "Lu et al. 2022, arXiv:2211.01095; the authors' code, dpmsolver++ with singlestep_fixed"
    )
    bibtex: ClassVar[str] = paper("lu2022dpmsolverpp")

    def _evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.denoise(x, now)

    def _from_start(self, x: Tensor, past: Past, then: Time) -> Tensor:
        now, nodes = past[0].time, tuple(e.time.lam for e in past)
        weights = adams_weights(nodes, now.lam, then.lam, Exponential(1.0, then.lam))
        terms = weighted_terms([then.alpha * w for w in weights], past)
        return combine((then.sigma / now.sigma, x), *terms)
