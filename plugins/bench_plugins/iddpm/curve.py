"""A rising piecewise cubic through points at 0, 1, 2, ..., with its inverse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_HALVINGS = 60
"""Of a piece's length: to the last bit of its inverse."""


@dataclass(frozen=True, eq=False)
class RisingCurve:
    """A strictly rising function on [0, N], a cubic from each whole number to the next.

    Attributes:
        knots: its values at 0 .. N, float64, (N + 1,).
        pieces: coefficients of each cubic in the distance from its left end, the constant first,
            (4, N).
    """

    knots: Tensor
    pieces: Tensor

    @staticmethod
    def through(knots: Tensor) -> RisingCurve:
        """The cubic spline (not-a-knot) where it rises everywhere, else the monotone cubic.

        Fritsch and Butland 1984 (scipy's PCHIP), whose first derivative is continuous.
        """
        # Imported where it is needed: this family is imported by every command.
        from scipy.interpolate import CubicSpline, PchipInterpolator

        places, values = np.arange(len(knots), dtype=np.float64), knots.double().numpy()
        spline = torch.from_numpy(CubicSpline(places, values).c[::-1].copy())
        if not _rises(spline):
            spline = torch.from_numpy(PchipInterpolator(places, values).c[::-1].copy())
        return RisingCurve(knots.double(), spline)

    def __call__(self, x: Tensor) -> Tensor:
        """The value at ``x``, shape of ``x``; beyond the ends the last cubics go on."""
        piece = x.detach().floor().long().clamp(0, self.pieces.shape[1] - 1)
        return self._value(piece, x - piece)

    def inverse(self, value: Tensor) -> Tensor:
        """The place of ``value`` (between the first knot and the last), shape of ``value``."""
        knots = self.knots.to(value)
        piece = torch.searchsorted(knots, value.contiguous()).sub(1).clamp(0, len(knots) - 2)
        low, high = torch.zeros_like(value), torch.ones_like(value)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = self._value(piece, middle) < value
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return piece + high

    def _value(self, piece: Tensor, u: Tensor) -> Tensor:
        a, b, c, d = (row.to(u)[piece] for row in self.pieces)
        value: Tensor = a + u * (b + u * (c + u * d))
        return value


def _rises(pieces: Tensor) -> bool:
    """True if the derivative b + 2 c u + 3 d u^2 is positive for all u from 0 to 1."""
    _, b, c, d = pieces
    inside = (d > 0) & (c < 0) & (-c < 3 * d)  # a minimum of the derivative within the piece
    least = torch.where(inside, b - c * c / (3 * d), b)
    return bool(((least > 0) & (b + 2 * c + 3 * d > 0)).all())
