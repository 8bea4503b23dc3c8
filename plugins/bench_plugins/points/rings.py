"""Concentric rings, in closed form with Bessel functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseStream, require, rows_of
from bench_plugins.points.point_set import NoisySet


@dataclass(frozen=True, eq=False)
class Circles:
    """Circles around the origin with Gaussian noise around them, equally many points on each.

    A circle of radius r under noise of variance V has the density
    exp(-(rho^2 + r^2) / (2 V)) I_0(rho r / V) / (2 pi V) at distance rho from its centre, and the
    posterior mean of the point on it is r I_1 / I_0 in the direction of y.

    Attributes:
        radii: (K,).
        variance: tau^2, of the noise around them.
    """

    radii: Tensor
    variance: float

    def to(self, device: torch.device, dtype: torch.dtype) -> Circles:
        """The same circles elsewhere."""
        return Circles(self.radii.to(device, dtype), self.variance)

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y], shape (n, 2); ``s`` of shape () or (n,)."""
        total = self.variance + rows_of(s, y).square()
        rho = _length(y)
        share = self._log_joint(rho, total).softmax(1)
        z = rho * self.radii / total
        pull = self.radii * torch.special.i1e(z) / torch.special.i0e(z)
        centre = (share * pull).sum(1, keepdim=True) / rho * y
        return torch.lerp(centre, y, self.variance / total)

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y`` (n, 2), shape (n,)."""
        own = self.to(y.device, y.dtype)
        total = torch.full((1, 1), self.variance + s * s, device=y.device, dtype=y.dtype)
        parts: Tensor = own._log_joint(_length(y), total).logsumexp(1)
        return parts - (2 * math.pi * len(self.radii) * total[0]).log()

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples, float64, (count, 2)."""
        stream = NoiseStream(seed, "exact", 0, count, (2,), torch.float64)
        u, z = stream.uniform(), stream.normal()
        which = (u[:, 0] * len(self.radii)).long().clamp_max(len(self.radii) - 1)
        angle = 2 * math.pi * u[:, 1]
        on = self.radii[which, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
        return on + math.sqrt(self.variance) * z

    def _log_joint(self, rho: Tensor, total: Tensor) -> Tensor:
        """Logarithm of each ring's density but for its constant, (n, K)."""
        bessel: Tensor = torch.special.i0e(rho * self.radii / total).log()
        return bessel - (rho - self.radii).square() / (2 * total)


def _length(y: Tensor) -> Tensor:
    """|y|, (n, 1), never 0: the direction of y is taken from it."""
    return y.square().sum(1, keepdim=True).clamp_min(torch.finfo(y.dtype).tiny).sqrt()


@dataclass(frozen=True)
class Rings(NoisySet):
    """Concentric circles, each with the same share of the points.

    Attributes:
        radii: 1 to 16 different positive numbers, up to 100.
        noise: standard deviation of the Gaussian noise around them, 0.02 to 1.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "rings"

    radii: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)
    noise: float = 0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            1 <= len(self.radii) <= 16
            and all(0 < r <= 100 for r in self.radii)
            and len(set(self.radii)) == len(self.radii),
            "radii must be 1 to 16 different numbers above 0, up to 100",
        )

    def distribution(self) -> Circles:
        return Circles(torch.tensor(self.radii, dtype=torch.float64), self.noise**2)
