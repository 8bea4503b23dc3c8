"""Improved PNDM with variable-step coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import History, OdeSolver, Problem, Time, adams_weights, combine, require


@dataclass(frozen=True)
class AdamsBashforthInS(OdeSolver[History]):
    """dy/ds = eps(y; s) by the variable-step Adams-Bashforth method; one evaluation per step.

    The step integrates the polynomial in s through the last ``highest`` values of eps exactly. The
    first step is Euler's, so that the order is 2 at last whatever ``highest`` is; but at the noisy
    end eps hardly changes, and errors fall like N^-3.5 up to some 200 steps with 4 evaluations.

    Attributes:
        highest: the most evaluations that a step combines, 1 (DDIM) to 4.
    """

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
        weights = adams_weights(tuple(e.time.s for e in state.past), now.s, then.s)
        parts = ((then.alpha * w, e.value) for w, e in zip(weights, state.past, strict=True))
        return combine((then.alpha / now.alpha, x), *parts), state.stepped()


@dataclass(frozen=True)
class IPNDMv(AdamsBashforthInS):
    """Variable-step iPNDM: the coefficients are those of unequal steps in s; order 2 as started.

    It coincides with k-diffusion's LMS (``lms``) and with DEIS's rhoAB. The coefficients are
    exact; diff-sampler's code for this method misplaces a parenthesis in them.

    Attributes:
        highest: the most evaluations that a step combines, 1 (DDIM) to 4.
    """

    name: ClassVar[str] = "ipndm_v"
    reference: ClassVar[str] = (
        "Zhang and Chen 2022, arXiv:2204.13902; Zhou et al. 2023, arXiv:2312.00094 (iPNDM_v)"
    )
