"""DPM-Solver++(3M) SDE."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, sqrt
from typing import ClassVar

from torch import Tensor

from bench.api import (
    MultistepPredictor,
    Past,
    Problem,
    Time,
    combine,
    paper,
    require,
    weighted_terms,
)


@dataclass(frozen=True)
class DpmPP3MSde(MultistepPredictor):
    """SDE-DPM-Solver++(3M): D by its last three values; weak order 2, one evaluation per step.

    y_then = e^-q y + q int_0^1 e^-q(1-u) D(u) du + noise with q = (1 + eta) h, where D(u) is
    D_0 + u D' + u^2 D'' / 2 by divided differences in u = (lambda - lambda_now) / h. k-diffusion
    gives the parabola's term half its weight, which is kept here: the weak order is 2 either way
    (the error half as large with the whole), since no value of D knows of the noise of the step it
    is used in. The first step holds D, the second takes the line through two values.

    Attributes:
        eta: strength of the noise, >= 0: it adds 2 eta s^2 to the variance of y per unit of lambda.
            1 is the reverse SDE, 0 the ODE. Between them it is not the eta of the ancestral
            samplers, which adds about 2 eta^2 s^2.
        s_noise: factor of the noise; other values than 1 change the distribution.
    """

    name: ClassVar[str] = "dpmpp_3m_sde"
    reference: ClassVar[str] = "Crowson 2023, k-diffusion, sample_dpmpp_3m_sde"
    bibtex: ClassVar[str] = paper("crowson2022kdiffusion")
    order: ClassVar[int] = 2
    max_order: ClassVar[int] = 3

    eta: float = 1.0
    s_noise: float = 1.0

    def __post_init__(self) -> None:
        require(self.eta >= 0, "eta must be >= 0")
        require(self.s_noise >= 0, "s_noise must be >= 0")

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        h = then.lam - now.lam
        keep = then.sigma / now.sigma * exp(-self.eta * h)
        std = self.s_noise * then.sigma * sqrt(-expm1(-2 * self.eta * h))
        weights = _weights((1 + self.eta) * h, [(e.time.lam - now.lam) / h for e in past])
        terms = weighted_terms([then.alpha * w for w in weights], past)
        return combine((keep, x), *terms, (std, problem.normal()))


def _weights(q: float, places: list[float]) -> list[float]:
    """Weights of the values of D at ``places`` u = 0, u_1, u_2 (newest first, negative)."""
    whole = -expm1(-q)
    if len(places) == 1:
        return [whole]
    line = 1 - whole / q  # q int e^-q(1-u) u du
    if len(places) == 2:
        return [whole - line / places[1], line / places[1]]
    parabola = 0.5 - line / q  # half of q int e^-q(1-u) u^2 du
    _, first, second = places
    # D(u) = D_0 + u [01] + (u^2 - u first) [012] with divided differences [01], [012]
    bend = (parabola - first * line) / second
    slope, earlier = line / first, bend / (second - first)
    return [whole - slope + bend / first, slope - bend / first - earlier, earlier]
