"""The uniform distribution on every second square of a board, in closed form with erf."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseStream, require, rows_of
from bench_plugins.points.point_set import PointSet

_LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
_FAR = 1e3
"""Standard deviations beyond which a tail's mean is its asymptote, to 1e-9 of one."""

_NO_NOISE = 1e-9
"""Noise level that stands for none: the density is then that of the squares themselves."""


@dataclass(frozen=True, eq=False)
class Board:
    """The uniform distribution on the squares (i, j) with i + j even, of side 4 / n on [-2, 2]^2.

    A square's noised density is a product of two intervals', Phi(b) - Phi(a) over the side, and its
    posterior mean that of a normal cut off at a and b in each coordinate. All is computed in
    float64, since differences of Phi lose digits at high noise.

    Attributes:
        squares: n, on a side.
        column, row: of the dark squares, (n^2 / 2,), whole numbers.
    """

    squares: int
    column: Tensor
    row: Tensor

    @staticmethod
    def of(squares: int) -> Board:
        """The board with ``squares`` on a side."""
        places = torch.arange(squares)
        column, row = torch.meshgrid(places, places, indexing="ij")
        dark = (column + row) % 2 == 0
        return Board(squares, column[dark], row[dark])

    def to(self, device: torch.device, dtype: torch.dtype) -> Board:
        """The same board on ``device``; what it computes is cast to the dtype of y."""
        return Board(self.squares, self.column.to(device), self.row.to(device))

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y], shape (n, 2); ``s`` of shape () or (n,)."""
        level = rows_of(s.double(), y)[..., None]
        log_mass, mean = self._intervals(y.double(), level)
        share = (log_mass[:, 0, self.column] + log_mass[:, 1, self.row]).softmax(1)
        centres = torch.stack([mean[:, 0, self.column], mean[:, 1, self.row]], dim=1)
        return (share[:, None] * centres).sum(2).to(y.dtype)

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y`` (n, 2), shape (n,)."""
        level = torch.full((1, 1, 1), max(s, _NO_NOISE), dtype=torch.float64, device=y.device)
        own = self.to(y.device, y.dtype)
        log_mass, _ = own._intervals(y.double(), level)
        parts = (log_mass[:, 0, own.column] + log_mass[:, 1, own.row]).logsumexp(1)
        area = len(self.column) * (4 / self.squares) ** 2
        return (parts - math.log(area)).to(y.dtype)

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples, float64, (count, 2)."""
        stream = NoiseStream(seed, "exact", 0, count, (2,), torch.float64)
        which, place = stream.uniform()[:, 0], stream.uniform()
        index = (which * len(self.column)).long().clamp_max(len(self.column) - 1)
        corner = torch.stack([self.column[index], self.row[index]], dim=1)
        return (corner + place) * (4 / self.squares) - 2

    def _intervals(self, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """ln P(x_0 in I | y) and E[x_0 | y, x_0 in I] under a flat prior, (n, 2, squares)."""
        edges = torch.linspace(-2, 2, self.squares + 1, dtype=y.dtype, device=y.device)
        ends = (edges - y[..., None]) / s
        low, high = ends[..., :-1], ends[..., 1:]
        log_mass = _log_between(low, high)
        lift = _log_normal(low).sub(log_mass).exp() - _log_normal(high).sub(log_mass).exp()
        # Far away the sum cancels; the mean lies 1 / z beyond the interval's nearer end.
        outside = (low > _FAR) | (high < -_FAR)
        near = torch.where(low > 0, low, high).where(outside, _FAR)  # no division by 0 in gradients
        far = torch.where(low > 0, edges[:-1], edges[1:]) + s / near
        return log_mass, torch.where(outside, far, y[..., None] + s * lift)


def _log_normal(z: Tensor) -> Tensor:
    return -0.5 * z.square() - _LOG_ROOT_2PI


def _log_between(low: Tensor, high: Tensor) -> Tensor:
    """ln(Phi(high) - Phi(low)), to full relative precision in both tails."""
    right = low + high > 0  # mirrored to the left, where ln Phi keeps its digits
    a, b = torch.where(right, -high, low), torch.where(right, -low, high)
    top: Tensor = torch.special.log_ndtr(b)
    return top + (-torch.expm1(torch.special.log_ndtr(a) - top)).log()


@dataclass(frozen=True)
class Checkerboard(PointSet):
    """Uniform on the dark squares of a board on [-2, 2]^2: gaps, corners and no noise of its own.

    Attributes:
        squares: on a side, 2 to 16, an even number.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "checkerboard"

    squares: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            2 <= self.squares <= 16 and self.squares % 2 == 0,
            "squares must be an even number from 2 to 16",
        )

    def distribution(self) -> Board:
        return Board.of(self.squares)
