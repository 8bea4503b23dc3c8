"""STORK-2 in flow matching's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import ClassVar

import numpy as np
from torch import Tensor

from bench.api import MultistepOdeSolver, Past, Problem, Time, combine, require, weighted_terms
from bench_plugins.flow.papers import SKARAS2021SUPER, TAN2025STORK
from bench_plugins.flow.velocity import flow_time, flow_velocity


@dataclass(frozen=True)
class Stork2(MultistepOdeSolver):
    """STORK-2: a Runge-Kutta-Gegenbauer step whose velocities are extrapolated in time.

    All stages but the first take v + (c - c_0) v' (+ v'' / 2 ..) instead of the network, with
    derivatives by divided differences of the last evaluations, in u = sigma / (alpha + sigma) and
    z = x / (alpha + sigma). One evaluation per step; the first step is Euler's.

    Such velocities do not depend on the stages, so that the whole step is z + h v + b h^2 v' + c
    h^3 v'' with numbers b and c. The method's own nodes make b = 1/2 whatever the stages are: with
    one derivative STORK-2 is Adams-Bashforth of order 2 in u, without a stabilised method's larger
    stability. The authors' code takes the nodes of another family (Runge-Kutta-Legendre), which
    makes b 0.490 with 50 stages, and the order 1. Their form for noise predictions, in which the
    linear part of the ODE does see the stages, is not here.

    Attributes:
        stages: stages of the Runge-Kutta method.
        derivatives: derivatives of v that are extrapolated, 1 or 2.
        legendre_nodes: the nodes of the authors' code.
        lower_order_final: make the last step Euler's too.
    """

    name: ClassVar[str] = "stork_2"
    reference: ClassVar[str] = (
        "Tan et al. 2025, arXiv:2505.24210, STORK-2 for flow matching; Skaras et al. 2021 (RKG2)"
    )
    bibtex: ClassVar[str] = TAN2025STORK + SKARAS2021SUPER

    stages: int = 50
    derivatives: int = 1
    legendre_nodes: bool = False
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(3 <= self.stages <= 1000, "stages must lie between 3 and 1000")
        require(1 <= self.derivatives <= 2, "derivatives must be 1 or 2")

    @property
    def order(self) -> int:
        return 1 if self.legendre_nodes else 2

    @property
    def max_order(self) -> int:
        return 1 + self.derivatives

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return flow_velocity(problem, x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        scale = then.alpha + then.sigma
        h = flow_time(then) - flow_time(now)
        places = np.array([(flow_time(e.time) - flow_time(now)) / h for e in past])
        wanted = taylor_weights(self.stages, self.legendre_nodes)[: len(past)]
        # Values v_j = sum_k v^(k) places_j^k / k!, weighted to give the wanted sum of v^(k).
        powers = np.array([places**k / factorial(k) for k in range(len(past))])
        weights = (scale * h * np.linalg.solve(powers, wanted)).tolist()
        return combine((scale / (now.alpha + now.sigma), x), *weighted_terms(weights, past))


@lru_cache(maxsize=64)
def taylor_weights(stages: int, legendre_nodes: bool) -> tuple[float, float, float]:
    """Weights of v, h v' and h^2 v'' in a step of RKG2 over h = 1, by its own recursion.

    Y_j = mu Y_j-1 + nu Y_j-2 + w (v(c_j-1) + g v), Y_0 = 0 (Skaras et al. 2021).
    """
    width = 6 / ((stages + 4) * (stages - 1))
    before, last = np.zeros(3), width * np.array([1.0, 0.0, 0.0])
    for j in range(2, stages + 1):
        c = _legendre_node(j - 1, stages) if legendre_nodes else last[0]
        mu = (2 * j + 1) * _b(j) / (j * _b(j - 1))
        nu = -(j + 1) * _b(j) / (j * _b(j - 2))
        g = 0.5 * j * (j + 1) * _b(j - 1) - 1
        velocity = np.array([1.0 + g, c, 0.5 * c * c])
        before, last = last, mu * last + nu * before + mu * width * velocity
    return float(last[0]), float(last[1]), float(last[2])


def _b(j: int) -> float:
    """RKG2's b_j."""
    if j < 2:
        return 1 / (1 + 2 * j)
    return 4 * (j - 1) * (j + 4) / (3 * j * (j + 1) * (j + 2) * (j + 3))


def _legendre_node(j: int, stages: int) -> float:
    """RKL2's c_j."""
    rise = j * j + j - 2 if j > 1 else 4 / 3
    return rise / (stages * stages + stages - 2)
