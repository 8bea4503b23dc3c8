"""SDE-DPM-Solver++(2M)."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, sqrt
from typing import ClassVar

from torch import Tensor

from bench.api import MultistepPredictor, Past, Problem, Time, combine, paper, require


@dataclass(frozen=True)
class SdeDpmSolverPP2M(MultistepPredictor):
    """SDE-DPM-Solver++(2M); weak order 2, one evaluation per step.

    The midpoint rule, or with ``heun`` the line through D and D_before, integrated exactly.
    y_then = e^-q y + (1 - e^-q) (D + h / (2 h_before) (D - D_before)) + noise, q = (1 + eta) h.
    The first step holds D; with eta = 0 the method is DPM-Solver++(2M).

    Attributes:
        eta: strength of the noise, >= 0: it adds 2 eta s^2 to the variance of y per unit of lambda.
            1 is the reverse SDE (the paper's), 0 the ODE. Between them it is not the eta of the
            ancestral samplers, which adds about 2 eta^2 s^2.
        s_noise: factor of the noise; other values than 1 change the distribution.
        heun: k-diffusion's solver type "heun" (its default is "midpoint"): the slope of D has the
            weight 1 - (1 - e^-q) / q instead of (1 - e^-q) / 2, which makes it the exponential
            Adams-Bashforth method. At eta = 0 it is ``res_multistep``.
        lower_order_final: make the last step first order too, the safeguard of few steps in the
            authors' code. It is off because the harness never steps to sigma = 0.
    """

    name: ClassVar[str] = "dpmpp_2m_sde"
    reference: ClassVar[str] = (
        "Lu et al. 2022, arXiv:2211.01095, SDE-DPM-Solver++(2M); eta: Crowson 2023, k-diffusion, "
        "sample_dpmpp_2m_sde"
    )
    bibtex: ClassVar[str] = paper("lu2022dpmsolverpp") + paper("crowson2022kdiffusion")
    order: ClassVar[int] = 2
    max_order: ClassVar[int] = 2

    eta: float = 1.0
    s_noise: float = 1.0
    heun: bool = False
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(self.eta >= 0, "eta must be >= 0")
        require(self.s_noise >= 0, "s_noise must be >= 0")

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        d, *before = past
        h = then.lam - now.lam
        keep = then.sigma / now.sigma * exp(-self.eta * h)
        gain = -then.alpha * expm1(-(1 + self.eta) * h)
        std = self.s_noise * then.sigma * sqrt(-expm1(-2 * self.eta * h))
        noise = std, problem.normal()
        if not before:
            return combine((keep, x), (gain, d.value), noise)
        q = (1 + self.eta) * h
        share = then.alpha * (1 + expm1(-q) / q) / gain if self.heun else 0.5
        c = share * h / (now.lam - before[0].time.lam)
        terms = (gain * (1 + c), d.value), (-gain * c, before[0].value)
        return combine((keep, x), *terms, noise)
