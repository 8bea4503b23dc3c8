"""SRDS: Parareal over blocks of DDIM steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, require
from bench_plugins.parallel.papers import SELVAM2024SRDS
from bench_plugins.parallel.pipeline import Pipeline, State, make_pipeline


@dataclass(frozen=True)
class Srds(OdeSolver[None]):
    """Self-refining diffusion sampler: x_j+1 = G(x_j) + F(old x_j) - G(old x_j) over blocks j.

    F is a block's fine steps, run for all blocks in parallel, and G one step over the whole block:
    DDIM's both. The grid is that of the fine steps; after as many refinements as blocks the result
    is DDIM's on it. It is pipelined, as the paper proposes: a block starts as soon as its beginning
    is known, so that the depth is refinements x block + blocks - refinements where blocks are
    alike. Less is evaluated than in the paper, and nothing else computed: F and G share the
    first evaluation, blocks that are solved are not solved again, and what no longer reaches the
    last point is left out. The number of refinements is fixed, where the authors stop by the change
    of the result. Order 1, since a refinement makes the square of the coarse steps' error.

    Attributes:
        refinements: at least 1; as many as blocks (or more) are DDIM.
        block: fine steps of a block; by default the root of their number, rounded up.
    """

    name: ClassVar[str] = "srds"
    reference: ClassVar[str] = "Selvam et al. 2024, arXiv:2412.08292, Algorithm 1, pipelined"
    bibtex: ClassVar[str] = SELVAM2024SRDS
    order: ClassVar[int] = 1
    whole: ClassVar[bool] = True

    refinements: int = 1
    block: int | None = None

    def __post_init__(self) -> None:
        require(self.refinements >= 1, "refinements must be >= 1")
        require(self.block is None or self.block >= 1, "block must be >= 1")

    def _pipeline(self, steps: int) -> Pipeline:
        return make_pipeline(steps, self.block or isqrt(steps - 1) + 1, self.refinements)

    def cost(self, steps: int) -> int:
        return sum(self._pipeline(steps).runs.values())

    def depth(self, steps: int) -> int:
        return len(self._pipeline(steps).ticks)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        return ddim(x, problem.denoise(x, now), now, then), None

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        if len(times) == 1:
            return x
        plan = self._pipeline(len(times) - 1)
        ends = [times[i] for i in plan.bounds]
        fine: dict[State, Tensor] = {(0, 0): x}
        coarse: dict[State, Tensor] = {}
        for tick in plan.ticks:
            for state, i in tick:
                if i == 0 and state != (0, 0):
                    fine[state] = _begin(state, fine, coarse)
            places = [plan.bounds[j] + i for (j, _), i in tick]
            asked = [(fine[state], times[at]) for (state, _), at in zip(tick, places, strict=True)]
            found = problem.denoise_all(asked)
            for (state, i), at, d in zip(tick, places, found, strict=True):
                if i == 0:
                    coarse[state] = ddim(fine[state], d, times[at], ends[state[0] + 1])
                fine[state] = ddim(fine[state], d, times[at], times[at + 1])
        return _begin(plan.last, fine, coarse)


def _begin(state: State, ends: dict[State, Tensor], coarse: dict[State, Tensor]) -> Tensor:
    """x at the start of block j after p refinements; ``ends`` and ``coarse`` of the block before.

    Where the block before starts from a solved point, both coarse steps are the same and cancel.
    """
    j, p = state
    if p == 0:
        return coarse[j - 1, 0]
    end = ends[j - 1, p - 1]
    if p == j:
        return end
    return combine((1.0, end), (1.0, coarse[j - 1, p]), (-1.0, coarse[j - 1, p - 1]))


def ddim(x: Tensor, d: Tensor, now: Time, then: Time) -> Tensor:
    """y + (s_then - s_now) eps of y = x / alpha, in x."""
    keep = then.sigma / now.sigma
    return combine((keep, x), (then.alpha - keep * now.alpha, d))
