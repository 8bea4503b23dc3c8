"""Adams methods in t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Evaluation, History, OdeSolver, Problem, Time, adams_weights, combine, require


@dataclass(frozen=True)
class AdamsBashforth(OdeSolver[History]):
    """The variable-step Adams-Bashforth method in t; one evaluation per step.

    The first step is Euler's, the next have orders 2, 3 and so on: order 2 at last, whatever
    ``highest`` is. (torchdiffeq's ``explicit_adams`` starts with Runge-Kutta steps, and its
    coefficients are those of equal steps.)

    Attributes:
        highest: the most velocities that a step combines, 1 (Euler) to 4.
    """

    name: ClassVar[str] = "adams_bashforth"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Section III.5; Bashforth 1883"

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
        state = state.added(now, problem.velocity(x, now), self.highest)
        return _integrate(x, now, then, state.past), state.stepped()


@dataclass(frozen=True)
class AdamsBashforthMoulton(OdeSolver[History]):
    """Adams-Bashforth predicts in t, Adams-Moulton corrects once (PECE); order 3.

    Two evaluations per step. Predictor and corrector interpolate ``highest`` velocities each, the
    corrector's newest being that of the prediction. The first step is Heun's, which is enough for
    order 3: the textbooks' four velocities gain nothing without a better start.

    Attributes:
        highest: the most velocities that a formula combines, 1 to 4.
    """

    name: ClassVar[str] = "adams_bashforth_moulton"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Section III.1 and III.5"

    highest: int = 3

    def __post_init__(self) -> None:
        require(1 <= self.highest <= 4, "highest must lie between 1 and 4")

    @property
    def order(self) -> int:
        return min(self.highest, 3)

    def start(self, times: Sequence[Time]) -> History:
        return History.of(times)

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: History | None
    ) -> tuple[Tensor, History]:
        state = state or self.start((now, then))
        state = state.added(now, problem.velocity(x, now), self.highest)
        ahead = problem.velocity(_integrate(x, now, then, state.past), then)
        corrector = state.added(then, ahead, self.highest)
        return _integrate(x, now, then, corrector.past), state.stepped()


def _integrate(x: Tensor, now: Time, then: Time, past: tuple[Evaluation, ...]) -> Tensor:
    """x plus the integral from ``now`` to ``then`` of the polynomial through ``past``."""
    weights = adams_weights(tuple(e.time.t for e in past), now.t, then.t)
    return combine((1.0, x), *((w, e.value) for w, e in zip(weights, past, strict=True)))
