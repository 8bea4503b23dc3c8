"""The driver of multistep methods: one evaluation, then a combination of the last ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.core.combine import combine
from bench.core.history import History, Past, weighted_terms
from bench.core.plugin import require
from bench.core.problem import Problem
from bench.core.process import Time
from bench.core.quadrature import adams_weights
from bench.core.solver import OdeSolver, Predictor, Stepper


class Multistep(Stepper[History]):
    """A method that evaluates the network at ``x`` and combines its last evaluations.

    A subclass gives ``max_order`` and ``advance``, and ``evaluate`` if it wants another value than
    D. Its first steps combine the evaluations that there are: it starts with orders 1, 2, ...

    """

    lower_order_final: bool = False
    """Whether the last steps combine no more evaluations than steps are left."""

    @property
    @abstractmethod
    def max_order(self) -> int:
        """The most evaluations that a step combines."""

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        """The value to remember of ``x`` at ``now``: by default D. One evaluation."""
        return problem.denoise(x, now)

    @abstractmethod
    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        """x at ``then`` from ``x`` at ``now``; ``past[0]`` is the evaluation at ``now``."""

    def start(self, times: Sequence[Time]) -> History:
        return History.of(times)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: History
    ) -> tuple[Tensor, History]:
        state = state.push(now, self.evaluate(problem, x, now), self.max_order)
        past = state.past[: state.order(self.max_order, self.lower_order_final)]
        return self.advance(problem, x, now, then, past), state.advance()


class MultistepOdeSolver(Multistep, OdeSolver[History]):
    """A multistep method of the probability-flow ODE."""


class MultistepPredictor(Multistep, Predictor[History]):
    """A multistep method of the reverse SDE."""


class HighestOrder(Multistep):
    """A multistep method whose parameter ``highest`` is the most evaluations that a step combines.

    Attributes:
        most: the largest ``highest``.
        limit: the order in the limit of many steps, which the first steps hold down.
    """

    most: ClassVar[int] = 4
    limit: ClassVar[int] = 2
    highest: int

    def __post_init__(self) -> None:
        require(1 <= self.highest <= self.most, f"highest must lie between 1 and {self.most}")

    @property
    def order(self) -> int:
        return min(self.highest, self.limit)

    @property
    def max_order(self) -> int:
        return self.highest


@dataclass(frozen=True)
class AdamsBashforthInS(HighestOrder, MultistepOdeSolver):
    """dy/ds = eps(y; s) by the variable-step Adams-Bashforth method; one evaluation per step.

    The step integrates the polynomial in s through the last ``highest`` values of eps exactly. The
    first step is Euler's, so that the order tends to 2 whatever ``highest`` is; but at the noisy
    end eps hardly changes, and errors fall like N^-3.5 up to some 200 steps with 4 evaluations.

    Attributes:
        highest: the most evaluations that a step combines, 1 (DDIM) to 4.
    """

    highest: int = 4

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        weights = adams_weights(tuple(e.time.s for e in past), now.s, then.s)
        terms = weighted_terms([then.alpha * w for w in weights], past)
        return combine((then.alpha / now.alpha, x), *terms)
