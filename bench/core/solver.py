"""The contracts of solvers: predictors, correctors and ODE solvers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from torch import Tensor

from bench.core.plugin import Plugin
from bench.core.problem import Problem
from bench.core.process import Time

if TYPE_CHECKING:
    from bench.core.calibration import Calibration

S = TypeVar("S")


class Stepper(Plugin, ABC, Generic[S]):
    """A method that goes from one point of the grid to the next.

    ``S`` is the type of the state that goes from step to step, ``None`` for one-step methods. The
    host hands it on; nothing is kept on ``self``.
    """

    stochastic: ClassVar[bool]
    batch_coupled: ClassVar[bool] = False
    """True where samples of one batch influence each other (a shared error norm)."""
    renoises: ClassVar[bool] = False
    """True where it takes the noise that stays in x of `Problem.split`'s unguided part."""
    observes: ClassVar[bool] = False
    """True where it uses `Problem.observation` itself; it then runs under tasks with one alone."""
    finishes: ClassVar[bool] = False
    """True where `solve` ends in x_0, with a final denoise of its own that `cost` counts."""
    whole: ClassVar[bool] = False
    """True where `solve` alone runs it: nothing can act between its steps."""

    @property
    @abstractmethod
    def order(self) -> int:
        """The global order of convergence that the author claims and the laws measure.

        Of each sample's path for ODE solvers, of the distribution (weak order) for stochastic
        steps. A class attribute ``order: ClassVar[int] = 2``, or a property where a parameter
        decides it.
        """

    def cost(self, steps: int) -> int:
        """Declared network evaluations per sample for ``steps`` steps; measured by the host."""
        return steps

    def depth(self, steps: int) -> int:
        """Declared evaluations that wait for one another: fewer than `cost` for parallel methods.

        What runs in parallel goes through `Problem.denoise_all`, which measures it.
        """
        return self.cost(steps)

    def calibrate(self, cell: Calibration) -> Stepper[S]:
        """The stepper to use for ``cell`` on ``cell.times``; called once, before its samples.

        By default itself, at no cost. What it evaluates through ``cell.model``, forward and
        backward, is recorded as the cell's calibration and is no part of its NFE. What it returns
        has the same name, cost and depth. Without it the stepper runs too, as the method from
        which the calibration starts.
        """
        return self

    def note(self) -> str:
        """A remark on the method for readers of the numbers, or ""."""
        return ""

    def start(self, times: Sequence[Time]) -> S:
        """The state of the first step; ``times`` is the whole grid.

        One-step methods keep this one; a method with a state overrides it.
        """
        return None  # type: ignore[return-value]  # S is None, or this is overridden

    @abstractmethod
    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: S
    ) -> tuple[Tensor, S]:
        """x at ``then`` from ``x`` at ``now``, and the state of the next step.

        ``x`` has shape (n, *shape) and must not be modified in place.
        """

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        """x at ``times[-1]`` from ``x`` at ``times[0]``."""
        state = self.start(times)
        for now, then in pairwise(times):
            x, state = self.step(problem, x, now, then, state)
        return x


class Predictor(Stepper[S]):
    """A stochastic step of the reverse SDE. ``order`` is its weak order."""

    stochastic: ClassVar[bool] = True


class OdeSolver(Stepper[S]):
    """A step of the probability-flow ODE. Runs in both directions of time."""

    stochastic: ClassVar[bool] = False


class Adaptive(Stepper[None]):
    """A stepper that chooses its own steps: its NFE is measured, and no budget sets it.

    Where other solvers run a list of budgets, it runs a list of values of the parameter that
    ``ladder`` names.
    """

    ladder: ClassVar[str] = "rtol"

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        """One grid interval, solved to the tolerance."""
        return self.solve(problem, x, (now, then)), None

    @abstractmethod
    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        """x at ``times[-1]`` from ``x`` at ``times[0]``; times between are not needed."""


class AdaptiveOdeSolver(Adaptive, OdeSolver[None]):
    """An ODE solver that chooses its own steps."""


class AdaptivePredictor(Adaptive, Predictor[None]):
    """A solver of the reverse SDE that chooses its own steps."""


class Corrector(Plugin, ABC):
    """A Markov chain that leaves p_t invariant, run after each predictor step."""

    def cost(self) -> int:
        """Declared network evaluations per sample and call."""
        return 1

    def note(self, problem: Problem) -> str:
        """A remark on the chain on ``problem`` for readers of the numbers, or ""."""
        return ""

    @abstractmethod
    def correct(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        """``x`` after the corrector's steps at ``now``; ``x`` must not be modified in place."""
