"""The counter of network evaluations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Evaluations:
    """Rows that went through the network: the honest NFE is rows / samples."""

    rows: int = 0
    vjp_rows: int = 0

    def nfe(self, samples: int) -> float:
        """Forward evaluations per sample."""
        return self.rows / samples

    def vjps(self, samples: int) -> float:
        """Vector-Jacobian products per sample."""
        return self.vjp_rows / samples
