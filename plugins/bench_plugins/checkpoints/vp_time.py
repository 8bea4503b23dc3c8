"""The time of score_sde's continuous variance-preserving noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class VpTime:
    """The time t from 0 to 1 where beta(t) rises linearly from ``start`` to ``end``.

    Song et al. 2021, arXiv:2011.13456, Eq. 32.
    """

    start: float
    end: float

    def integral(self, t: float) -> float:
        """B(t), the integral of beta from 0 to ``t``; alpha = exp(-B / 2)."""
        return t * (self.start + 0.5 * t * (self.end - self.start))

    def ratio(self, t: float) -> float:
        """The noise-to-signal ratio at ``t``."""
        return math.sqrt(math.expm1(self.integral(t)))

    def at(self, b: Tensor, scale: int = 1) -> Tensor:
        """``scale`` times the time where the integral of beta is ``b``."""
        low, slope = self.start, self.end - self.start
        # Positive root of slope/2 t^2 + low t = b, in the form without cancellation.
        return scale * 2 * b / (low + (low * low + 2 * slope * b).sqrt())
