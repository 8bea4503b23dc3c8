"""STORK-4 in flow matching's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import (
    MultistepOdeSolver,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    require,
    weighted_terms,
)
from bench_plugins.flow.papers import ABDULLE2002ROCK4, TAN2025STORK
from bench_plugins.flow.velocity import flow_time, flow_velocity


@dataclass(frozen=True)
class Stork4(MultistepOdeSolver):
    """STORK-4: a ROCK4 step whose velocities are extrapolated in time; one evaluation per step.

    As in ``stork_2`` all stages but the first take v + c v' + c^2 v'' / 2 (+ c^3 v''' / 6) instead
    of the network, with derivatives by divided differences of the last evaluations, in u = sigma /
    (alpha + sigma) and z = x / (alpha + sigma). Such velocities do not depend on the stages, and
    ROCK4 has order 4, so that for any number of stages it integrates that cubic exactly: for flow
    matching STORK-4 is Adams-Bashforth of 4 values in u (3 with two derivatives), without a
    stabilised method's larger stability. Nothing is left of the stages to compute.

    The first step is Euler's, which holds the order down to 2 in the limit. The authors take two
    half steps there, whose errors are of the same order, for one more evaluation; their derivatives
    are exact on equal steps alone. Their form for noise predictions, in which the linear part of
    the ODE does see the stages, is not here.

    Attributes:
        derivatives: derivatives of v that are extrapolated, 2 or 3.
        lower_order_final: fewer values in the last steps: 3, 2, 1.
    """

    name: ClassVar[str] = "stork_4"
    reference: ClassVar[str] = (
        "Tan et al. 2025, arXiv:2505.24210, STORK-4 for flow matching; Abdulle 2002 (ROCK4)"
    )
    bibtex: ClassVar[str] = TAN2025STORK + ABDULLE2002ROCK4
    order: ClassVar[int] = 2

    derivatives: int = 3
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(2 <= self.derivatives <= 3, "derivatives must be 2 or 3")

    @property
    def max_order(self) -> int:
        return 1 + self.derivatives

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return flow_velocity(problem, x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        scale = then.alpha + then.sigma
        places = tuple(flow_time(e.time) for e in past)
        weights = [scale * w for w in adams_weights(places, flow_time(now), flow_time(then))]
        return combine((scale / (now.alpha + now.sigma), x), *weighted_terms(weights, past))
