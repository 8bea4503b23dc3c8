"""Improved PNDM: Adams-Bashforth with fixed coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import History, OdeSolver, Problem, Time, require
from bench_plugins.pndm.transfer import adams_bashforth


@dataclass(frozen=True)
class IPNDM(OdeSolver[History]):
    """PLMS whose first steps have orders 1, 2 and 3, so that a step costs one evaluation.

    eps is extrapolated with the Adams-Bashforth coefficients of equal steps, then DDIM makes the
    step. Equal steps in s make it an Adams-Bashforth method; on other smooth grids neighbouring
    steps agree to first order only, which leaves order 2 whatever ``highest`` is.

    Attributes:
        highest: the most evaluations that a step combines, 1 (DDIM) to 4.
    """

    name: ClassVar[str] = "ipndm"
    reference: ClassVar[str] = (
        "Zhang and Chen 2022, arXiv:2204.13902 (iPNDM); Liu et al. 2022, arXiv:2202.09778, Eq. 12"
    )

    highest: int = 4

    def __post_init__(self) -> None:
        require(1 <= self.highest <= 4, "highest must lie between 1 and 4")

    @property
    def order(self) -> int:
        return min(self.highest, 2)

    def start(self, times: Sequence[Time]) -> History:
        return History.of(times)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: History | None
    ) -> tuple[Tensor, History]:
        state = state or self.start((now, then))
        state = state.added(now, problem.eps(x, now), self.highest)
        return adams_bashforth(x, now, then, state.past), state.stepped()
