"""RES, single step, order 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine
from bench_plugins.res.nodes import require_nodes
from bench_plugins.res.papers import HOCHBRUCK2005EXPLICIT, ZHANG2023IMPROVED
from bench_plugins.res.stages import at_alpha, three_stages


@dataclass(frozen=True)
class Res3S(OdeSolver[None]):
    """RES, three stages: an exponential Runge-Kutta method of order 3 in lambda, D predicted.

    Three evaluations per step, at shares 0, c2 and c3. gamma = (3 c3^2 - 2 c3) / (c2 (2 - 3 c2));
    c3 = 2/3 makes it 0 and the method ``seeds_3`` without noise. RES4LYF's code has c3^3 in the
    place of c3^2, which is the same for its c3 = 1 and loses an order for any other.

    Attributes:
        c2: where the second evaluation lies, as a share of the step in lambda; not 2/3.
        c3: where the third evaluation lies.
    """

    name: ClassVar[str] = "res_3s"
    reference: ClassVar[str] = (
        "Zhang, Song and Chen 2023, arXiv:2308.02157, third order, single step; "
        "Hochbruck and Ostermann 2005"
    )
    bibtex: ClassVar[str] = ZHANG2023IMPROVED + HOCHBRUCK2005EXPLICIT
    order: ClassVar[int] = 3

    c2: float = 0.5
    c3: float = 1.0

    def __post_init__(self) -> None:
        require_nodes(self.c2, self.c3)

    def cost(self, steps: int) -> int:
        return 3 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        terms = three_stages(problem, x, now, then.lam, self.c2, self.c3)
        return combine(*at_alpha(then.alpha, terms)), None
