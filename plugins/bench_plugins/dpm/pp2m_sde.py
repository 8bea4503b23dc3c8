"""SDE-DPM-Solver++(2M)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, sqrt
from typing import ClassVar

from torch import Tensor

from bench.api import History, Predictor, Problem, Time, combine, require


@dataclass(frozen=True)
class SdeDpmSolverPP2M(Predictor[History]):
    """SDE-DPM-Solver++(2M), midpoint rule; weak order 2, one evaluation per step.

    y_then = e^-q y + (1 - e^-q) (D + h / (2 h_before) (D - D_before)) + noise, q = (1 + eta) h.
    The first step holds D; with eta = 0 the method is DPM-Solver++(2M).

    Attributes:
        eta: strength of the noise, >= 0: it adds 2 eta s^2 to the variance of y per unit of lambda.
            1 is the reverse SDE (the paper's), 0 the ODE. Between them it is not the eta of the
            ancestral samplers, which adds about 2 eta^2 s^2.
        s_noise: factor of the noise; other values than 1 change the distribution.
        lower_order_final: make the last step first order too, the safeguard of few steps in the
            authors' code. It is off because the harness never steps to sigma = 0.
    """

    name: ClassVar[str] = "dpmpp_2m_sde"
    reference: ClassVar[str] = (
        "Lu et al. 2022, arXiv:2211.01095, SDE-DPM-Solver++(2M); eta: Crowson 2023, k-diffusion, "
        "sample_dpmpp_2m_sde"
    )
    order: ClassVar[int] = 2

    eta: float = 1.0
    s_noise: float = 1.0
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(self.eta >= 0, "eta must be >= 0")
        require(self.s_noise >= 0, "s_noise must be >= 0")

    def start(self, times: Sequence[Time]) -> History:
        return History.of(times)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: History | None
    ) -> tuple[Tensor, History]:
        history = (state or self.start((now, then))).added(now, problem.denoise(x, now), keep=2)
        here, h = history.past[0], then.lam - now.lam
        keep = then.sigma / now.sigma * exp(-self.eta * h)
        gain = -then.alpha * expm1(-(1 + self.eta) * h)
        std = self.s_noise * then.sigma * sqrt(-expm1(-2 * self.eta * h))
        noise = std, problem.normal()
        if history.order(2, self.lower_order_final) < 2:
            return combine((keep, x), (gain, here.value), noise), history.stepped()
        before = history.past[1]
        c = 0.5 * h / (now.lam - before.time.lam)
        terms = (keep, x), (gain * (1 + c), here.value), (-gain * c, before.value)
        return combine(*terms, noise), history.stepped()
