"""The exact solution of the linear part of the reverse SDE, shared by all SEEDS."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, sqrt

from bench.api import Predictor, Time, require


@dataclass(frozen=True)
class Seeds(Predictor[None]):
    """dy = (1 + eta) (D - y) dlambda + (2 eta)^1/2 s dw, solved exactly but for D.

    The noises of all stages of a step belong to one Brownian path: a later stage has the noise of
    the earlier one, decayed as x decays, and fresh noise for the way between.

    Attributes:
        eta: strength of the noise, >= 0; 1 is the reverse SDE, 0 the ODE.
        s_noise: factor of the noise; other values than 1 change the distribution.
    """

    eta: float = 1.0
    s_noise: float = 1.0

    def __post_init__(self) -> None:
        require(self.eta >= 0, "eta must be >= 0")
        require(self.s_noise >= 0, "s_noise must be >= 0")

    def _decay(self, now: Time, then: Time) -> float:
        """The share of x, or of noise, at ``now`` that is left at ``then``."""
        return then.sigma / now.sigma * exp(-self.eta * (then.lam - now.lam))

    def _fresh(self, now: Time, then: Time) -> float:
        """Standard deviation at ``then`` of the noise since ``now``."""
        return self.s_noise * then.sigma * sqrt(-expm1(-2 * self.eta * (then.lam - now.lam)))

    def _weights(self, now: Time, then: Time) -> tuple[float, float]:
        """Integrals against e^-q(1-u) q alpha du of the constant 1 and of the line u.

        u goes from 0 at ``now`` to 1 at ``then`` and q = (1 + eta) h: h phi_1 and h phi_2 of
        exponential integrators.
        """
        q = (1 + self.eta) * (then.lam - now.lam)
        whole = -expm1(-q)
        return then.alpha * whole, then.alpha * (1 - whole / q)
