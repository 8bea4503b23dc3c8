"""Ancestral steps: the flow down to less noise than is wanted, and fresh noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

from bench.api import Time, require


@dataclass(frozen=True)
class Descent:
    """An ancestral step of strength eta from ``now`` to ``then`` (k-diffusion's).

    Attributes:
        lam: where the flow ends: lambda of s_down = s_then (1 - eta^2 (1 - r^2))^1/2 with
            r = s_then / s_now.
        std: standard deviation of the fresh noise in y = x / alpha.
    """

    lam: float
    std: float

    @staticmethod
    def of(now: Time, then: Time, eta: float) -> Descent:
        """The step between two points of the grid."""
        fresh = eta**2 * (now.s - then.s) * (now.s + then.s) / now.s**2
        return Descent(-log(then.s * sqrt(1 - fresh)), then.s * sqrt(fresh))


def require_noise(eta: float, s_noise: float) -> None:
    """Refuse strengths and factors of noise outside their ranges."""
    require(0 <= eta <= 1, "eta must be in [0, 1]")
    require(s_noise >= 0, "s_noise must be >= 0")
