"""The ancestral step of k-diffusion's stochastic samplers."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from bench.api import Predictor, Time, require


@dataclass(frozen=True)
class AncestralStep(Predictor[None]):
    """A step of the flow down to s_down < s_then, and fresh noise up to s_then.

    s_up = eta s_then (1 - r^2)^1/2 with r = s_then / s_now, and s_down^2 + s_up^2 = s_then^2. The
    flow and the noise both carry marginals to marginals, so that any eta is as accurate as the
    flow is solved; eta = 1 is the reverse SDE, eta = 0 the ODE.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise; other values than 1 change the distribution.
    """

    eta: float = 1.0
    s_noise: float = 1.0

    def __post_init__(self) -> None:
        require(0 <= self.eta <= 1, "eta must be in [0, 1]")
        require(self.s_noise >= 0, "s_noise must be >= 0")

    def _down_up(self, now: Time, then: Time) -> tuple[float, float]:
        """s_down and the standard deviation of the fresh noise, in normalised coordinates."""
        fresh = self.eta**2 * (now.s - then.s) * (now.s + then.s) / now.s**2
        return then.s * sqrt(1 - fresh), self.s_noise * then.s * sqrt(fresh)
