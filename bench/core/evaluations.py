"""The counter of network evaluations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Evaluations:
    """Rows that went through the network: the honest NFE is rows / samples.

    Attributes:
        rows: forward.
        vjp_rows: backward.
        abreast: of ``rows``, those that ran beside another of the same sample and waited for none.
    """

    rows: int = 0
    vjp_rows: int = 0
    abreast: int = 0

    def nfe(self, samples: int) -> float:
        """Forward evaluations per sample."""
        return self.rows / samples

    @property
    def deep(self) -> int:
        """Rows that had to wait for one another."""
        return self.rows - self.abreast

    def depth(self, samples: int) -> float:
        """Sequential forward evaluations per sample."""
        return self.deep / samples

    def vjps(self, samples: int) -> float:
        """Vector-Jacobian products per sample."""
        return self.vjp_rows / samples
