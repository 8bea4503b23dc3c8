"""RES, single step, order 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, require
from bench_plugins.res.papers import HOCHBRUCK2005EXPLICIT, ZHANG2023IMPROVED
from bench_plugins.res.stages import at_alpha, two_stages


@dataclass(frozen=True)
class Res2S(OdeSolver[None]):
    """RES, two stages: D along the line through both evaluations, integrated exactly in lambda.

    Order 2, two evaluations per step. DPM-Solver++(2S) gives the second evaluation the weight
    phi_1(-h) / (2 c2) instead of phi_2(-h) / c2: also order 2, but it is not exact where D is
    linear in lambda. ``seeds_2`` with ``phi_2`` is the same method for the reverse SDE.

    Attributes:
        c2: where the second evaluation lies, as a share of the step in lambda.
    """

    name: ClassVar[str] = "res_2s"
    reference: ClassVar[str] = (
        "Zhang, Song and Chen 2023, arXiv:2308.02157, second order, single step; "
        "Hochbruck and Ostermann 2005"
    )
    bibtex: ClassVar[str] = ZHANG2023IMPROVED + HOCHBRUCK2005EXPLICIT
    order: ClassVar[int] = 2

    c2: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.c2 <= 1, "c2 must lie in (0, 1]")

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        terms = two_stages(problem, x, now, then.lam, self.c2)
        return combine(*at_alpha(then.alpha, terms)), None
