"""Singlestep methods of mixed orders on the grid's own points, for DPM-Solver-fast."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Evaluation, OdeSolver, Past, Problem, Time


@dataclass(frozen=True, eq=False)
class Group:
    """A singlestep method on its way through its grid steps.

    Attributes:
        left: grid steps that are left, the one to come included.
        size: grid steps of the group, which is its order; 0 before the first group.
        past: the group's evaluations, in the order of the grid.
        x: the state at the group's start, once it has begun.
    """

    left: int
    size: int = 0
    past: Past = ()
    x: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class GroupedSteps(OdeSolver[Group]):
    """Groups of three grid steps, and of 2 and 1, of 1 or of 2 at the end (N mod 3 = 0, 1, 2).

    Every step of a group starts from the group's first x: at order 1, 2 and 3.
    """

    order: ClassVar[int] = 2

    def start(self, times: Sequence[Time]) -> Group:
        return Group(len(times) - 1)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Group
    ) -> tuple[Tensor, Group]:
        if len(state.past) == state.size:
            size = 3 if state.left > 3 else 2 if state.left > 1 else 1
            state = Group(state.left, size)
        first = state.x[0] if state.x else x
        past = (*state.past, Evaluation(now, self._evaluate(problem, x, now)))
        end = self._from_start(first, past, then)
        return end, Group(state.left - 1, state.size, past, (first,))

    @abstractmethod
    def _evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        """The network's prediction at ``now``: eps or D."""

    @abstractmethod
    def _from_start(self, x: Tensor, past: Past, then: Time) -> Tensor:
        """x at ``then`` from the group's first ``x`` and its evaluations so far."""
