"""UniPC: a predictor and a corrector of the same form, one evaluation per step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Exponential,
    History,
    OdeSolver,
    Problem,
    Time,
    adams_weights,
    combine,
    require,
    weighted_terms,
)
from bench_plugins.unipc.papers import ZHAO2023UNIPC


@dataclass(frozen=True, eq=False)
class LastStep:
    """The last step: its evaluations, and the predictor's weights for the corrector."""

    history: History
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class UniPC(OdeSolver[LastStep]):
    """UniPC-p: multistep predictor UniP-p, its result corrected by UniC-p when it is evaluated.

    One evaluation per step: the value at the predicted point corrects the point and takes part in
    the next prediction (PEC); the last point is not corrected. Both are exponential Adams methods
    in lambda. B(h) takes effect only where the polynomial has two nodes, the paper's a_1 = 1/2: in
    UniP-2 and UniC-1. Larger systems R a = b are solved exactly, and B(h) cancels. The authors'
    variant with varying coefficients (``vary_coeff``) is not here: its corrector has order 1 in
    their code.

    Corrections are added to x as changes of the predictor's weights, so that what a corrector
    plugin (Langevin) did to x in between remains.

    Order 2 for p = 1 and 3 from p = 2 on (1 and 2 without the corrector): the first step is
    UniPC-1 and leaves one error of order 3. In the direction of sampling that error is small, and
    p = 3 shows the paper's order p + 1 = 4 over the numbers of steps in use. At most 2 with
    ``lower_order_final``, whose last step is UniP-1, not corrected.

    Attributes:
        p: evaluations that the predictor uses; 1: DDIM.
        bh1: B(h) = h instead of e^h - 1.
        predict_eps: integrate the predicted noise instead of the denoised sample.
        corrector: off: only UniP.
        lower_order_final: orders ..., 2, 1 in the last steps.
    """

    name: ClassVar[str] = "unipc"
    reference: ClassVar[str] = "Zhao et al. 2023, arXiv:2302.04867, Algorithms 1 and 2"
    bibtex: ClassVar[str] = ZHAO2023UNIPC

    p: int = 2
    bh1: bool = False
    predict_eps: bool = False
    corrector: bool = True
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(1 <= self.p <= 4, "p must lie between 1 and 4")

    @property
    def order(self) -> int:
        order = min(self.p, 2) + int(self.corrector)
        return min(order, 2) if self.lower_order_final else order

    def start(self, times: Sequence[Time]) -> LastStep:
        return LastStep(History.of(times))

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: LastStep
    ) -> tuple[Tensor, LastStep]:
        value = problem.eps(x, now) if self.predict_eps else problem.denoise(x, now)
        if self.corrector and state.weights:
            x = self._correct(x, value, now, state)
        history = state.history.push(now, value, self.p)
        nodes = history.past[: history.order(self.p, self.lower_order_final)]
        weights = self._weights([e.time for e in nodes], then)
        keep = then.alpha / now.alpha if self.predict_eps else then.sigma / now.sigma
        ahead = combine((keep, x), *weighted_terms(weights, nodes))
        return ahead, LastStep(history.advance(), weights)

    def _correct(self, x: Tensor, value: Tensor, now: Time, last: LastStep) -> Tensor:
        """UniC: give the evaluations of the last step their weights beside the new ``value``."""
        nodes = last.history.past[: len(last.weights)]
        *old, new = self._weights([*(e.time for e in nodes), now], now)
        changes = [w - v for w, v in zip(old, last.weights, strict=True)]
        return combine((1.0, x), (new, value), *weighted_terms(changes, nodes))

    def _weights(self, nodes: Sequence[Time], then: Time) -> tuple[float, ...]:
        """The weights of the values at ``nodes`` in a step from the first of them to ``then``.

        Both predictions are x_then = a x - b int_0^hh e^u F(u) du, where u is hh times the share
        of the step that is left and |hh| = |lambda_then - lambda_now|.
        """
        now = nodes[0]
        front, sign = (then.sigma, 1.0) if self.predict_eps else (then.alpha, -1.0)
        hh = sign * (then.lam - now.lam)
        if len(nodes) == 2:
            b = hh if self.bh1 else expm1(hh)
            share = 0.5 * b * (then.lam - now.lam) / (nodes[1].lam - now.lam)
            weights: tuple[float, ...] = expm1(hh) - share, share
        else:
            places = tuple(sign * (then.lam - node.lam) for node in nodes)
            weights = adams_weights(places, 0.0, hh, Exponential())
        return tuple(-front * w for w in weights)
