"""Improved PNDM: Adams-Bashforth with fixed coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import HighestOrder, MultistepOdeSolver, Past, Problem, Time, paper
from bench_plugins.pndm.papers import LIU2022PSEUDO
from bench_plugins.pndm.transfer import adams_bashforth


@dataclass(frozen=True)
class IPNDM(HighestOrder, MultistepOdeSolver):
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
    bibtex: ClassVar[str] = paper("zhang2023deis") + LIU2022PSEUDO

    highest: int = 4

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        return adams_bashforth(x, now, then, past)
