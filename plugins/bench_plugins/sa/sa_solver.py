"""SA-Solver: stochastic Adams methods, predictor and corrector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import exp, expm1, inf, sqrt
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Exponential,
    History,
    Predictor,
    Problem,
    Time,
    adams_weights,
    combine,
    require,
    weighted_terms,
)
from bench_plugins.sa.papers import XUE2023SASOLVER


@dataclass(frozen=True, eq=False)
class LastStep:
    """The last step, for the corrector.

    Attributes:
        history: the evaluations.
        weights: the predictor's.
        tau: the step's tau.
        order: evaluations that the corrector may use, the new one included.
    """

    history: History
    weights: tuple[float, ...] = ()
    tau: float = 0.0
    order: int = 0


@dataclass(frozen=True)
class SASolver(Predictor[LastStep]):
    """SA-Solver: stochastic Adams-Bashforth predictor, Adams-Moulton corrector, D predicted.

    The reverse SDE with noise of strength tau (0: the ODE, 1: the reverse of the forward process)
    is integrated in lambda with the weight e^((1 + tau^2) lambda) and the Lagrange polynomial
    through the evaluations; tau is constant within a step. One evaluation and one draw per step:
    the value at the predicted point corrects it, with the same noise, and takes part in the next
    prediction (PEC; with ``pece`` the value at the corrected point does, a second evaluation); the
    last point is not corrected. Corrections are added to x as changes of the predictor's weights,
    so that what a corrector plugin (Langevin) did to x in between remains.

    Weak order 2, or 1 where the corrector (the predictor, if there is none) uses one evaluation:
    the polynomial cannot follow the path's noise inside a step, and the first step has order 1,
    so that more evaluations pay only where tau is small. With two and two the term h^2 of the error
    is small beside h^3 and of the other sign: slopes go through 3 and more, and come down to 2 in
    thousands of steps.

    Attributes:
        predictor_order: evaluations that the predictor uses.
        corrector_order: evaluations that the corrector uses, the new one included; 0: none.
        tau: strength of the noise.
        tau_s_min, tau_s_max: noise only in steps that start at s in this range (the paper's
            CIFAR-10: 0.05 to 1).
        halved: where two evaluations are used, the authors' code replaces the weight of their
            slope, the integral of e^((1 + tau^2) (lambda - lambda_then)) over the distance from
            the start, by h^2 / 2: UniPC's B1(h). Off: the paper's coefficients.
        lower_order_final: orders ..., 2, 1 in the last steps.
        pece: evaluate the corrected point too, for the predictions to come; 2 N - 1 evaluations.
    """

    name: ClassVar[str] = "sa_solver"
    reference: ClassVar[str] = "Xue et al. 2023, arXiv:2309.05019, Algorithm 1"
    bibtex: ClassVar[str] = XUE2023SASOLVER

    predictor_order: int = 2
    corrector_order: int = 2
    tau: float = 1.0
    tau_s_min: float = 0.0
    tau_s_max: float = inf
    halved: bool = False
    lower_order_final: bool = False
    pece: bool = False

    def __post_init__(self) -> None:
        require(1 <= self.predictor_order <= 4, "predictor_order must lie between 1 and 4")
        require(0 <= self.corrector_order <= 4, "corrector_order must lie between 0 and 4")
        require(self.tau >= 0, "tau must be >= 0")
        require(not self.pece or self.corrector_order > 0, "pece needs a corrector_order >= 1")
        require(0 <= self.tau_s_min <= self.tau_s_max, "0 <= tau_s_min <= tau_s_max must hold")

    @property
    def order(self) -> int:
        return min(2, self.corrector_order or self.predictor_order)

    def cost(self, steps: int) -> int:
        return 2 * steps - 1 if self.pece else steps

    def start(self, times: Sequence[Time]) -> LastStep:
        return LastStep(History.of(times))

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: LastStep
    ) -> tuple[Tensor, LastStep]:
        d = problem.denoise(x, now)
        if state.order > 0:
            x = self._correct(x, d, now, state)
            d = problem.denoise(x, now) if self.pece else d
        history = state.history.push(now, d, max(self.predictor_order, self.corrector_order - 1))
        nodes = history.past[: history.order(self.predictor_order, self.lower_order_final)]
        tau = self.tau if self.tau_s_min <= now.s <= self.tau_s_max else 0.0
        weights = self._weights([e.time for e in nodes], now, then, tau)
        h, keep = then.lam - now.lam, then.sigma / now.sigma
        terms = [(exp(-(tau**2) * h) * keep, x), *weighted_terms(weights, nodes)]
        if tau > 0:
            terms.append((then.sigma * sqrt(-expm1(-2 * tau**2 * h)), problem.normal()))
        order = history.order(self.corrector_order - 1, self.lower_order_final) + 1
        return combine(*terms), LastStep(history.advance(), weights, tau, order)

    def _correct(self, x: Tensor, d: Tensor, now: Time, last: LastStep) -> Tensor:
        """Give the evaluations of the last step their weights beside the new ``d``.

        The last step's start and noise are the predictor's: only the weights change.
        """
        past = last.history.past
        times = *(e.time for e in past[: last.order - 1]), now
        *old, new = self._weights(times, past[0].time, now, last.tau)
        changes = [w - v for w, v in zip_longest(old, last.weights, fillvalue=0.0)]
        return combine((1.0, x), (new, d), *weighted_terms(changes, past[: len(changes)]))

    def _weights(
        self, nodes: Sequence[Time], now: Time, then: Time, tau: float
    ) -> tuple[float, ...]:
        """The integrals r alpha_then int_-h^0 e^(r v) l_j(v) dv, one for each node.

        With r = 1 + tau^2 and v = lambda - lambda_then. Of two nodes the first is ``now``.
        """
        h, rate = then.lam - now.lam, 1 + tau**2
        if self.halved and len(nodes) == 2:
            slope = 0.5 * h * h / (nodes[1].lam - now.lam)
            weights: tuple[float, ...] = -expm1(-rate * h) / rate - slope, slope
        else:
            places = tuple(node.lam - then.lam for node in nodes)
            weights = adams_weights(places, -h, 0.0, Exponential(rate))
        return tuple(rate * then.alpha * w for w in weights)
