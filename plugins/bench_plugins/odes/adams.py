"""Adams methods in t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Evaluation,
    HighestOrder,
    MultistepOdeSolver,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    paper,
    weighted_terms,
)
from bench_plugins.odes.papers import BASHFORTH1883ATTEMPT


@dataclass(frozen=True)
class AdamsBashforth(HighestOrder, MultistepOdeSolver):
    """The variable-step Adams-Bashforth method in t; one evaluation per step.

    The first step is Euler's, the next have orders 2, 3 and so on: order 2 at last, whatever
    ``highest`` is. (torchdiffeq's ``explicit_adams`` starts with Runge-Kutta steps, and its
    coefficients are those of equal steps.)

    Attributes:
        highest: the most velocities that a step combines, 1 (Euler) to 4.
    """

    name: ClassVar[str] = "adams_bashforth"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Section III.5; Bashforth 1883"
    bibtex: ClassVar[str] = paper("hairer1993solving") + BASHFORTH1883ATTEMPT

    highest: int = 4

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.velocity(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        return _integrate(x, now, then, past)


@dataclass(frozen=True)
class AdamsBashforthMoulton(HighestOrder, MultistepOdeSolver):
    """Adams-Bashforth predicts in t, Adams-Moulton corrects once (PECE); order 3.

    Two evaluations per step. Predictor and corrector interpolate ``highest`` velocities each, the
    corrector's newest being that of the prediction. The first step is Heun's, which is enough for
    order 3: the textbooks' four velocities gain nothing without a better start.

    Attributes:
        highest: the most velocities that a formula combines, 1 to 4.
    """

    name: ClassVar[str] = "adams_bashforth_moulton"
    reference: ClassVar[str] = "Hairer, Norsett and Wanner 1993, Section III.1 and III.5"
    bibtex: ClassVar[str] = paper("hairer1993solving")

    limit: ClassVar[int] = 3
    highest: int = 3

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.velocity(x, now)

    def cost(self, steps: int) -> int:
        return 2 * steps

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        ahead = Evaluation(then, problem.velocity(_integrate(x, now, then, past), then))
        return _integrate(x, now, then, (ahead, *past)[: self.highest])


def _integrate(x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
    """x plus the integral from ``now`` to ``then`` of the polynomial through ``past``."""
    weights = adams_weights(tuple(e.time.t for e in past), now.t, then.t)
    return combine((1.0, x), *weighted_terms(weights, past))
