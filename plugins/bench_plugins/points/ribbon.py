"""Curves in the plane with Gaussian noise around them: quadrature along the curve.

With x_0 = c(t) + tau z and t of density q on an interval, the noised density is the integral of
q(t) N(y; c(t), V I) with V = tau^2 + s^2. Gauss-Legendre nodes turn it into a mixture of Gaussians
of one variance. The integrand is analytic and hardly narrower than tau along the curve, so the
error falls geometrically in the number of nodes: with the spacing taken here the log density is
right to 1e-9 at s = 0 wherever it is above e^-30 of its peak, and nearer with noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from bench.api import NoiseStream, rows_of

_PANELS = 4
"""Parts of a curve, equally long, each with nodes of its own: speed along a curve differs."""

_SPACING = 0.6
"""Largest distance between nodes, in standard deviations of the noise around a curve."""

_ROWS = 512
"""Points whose density is computed at a time: what they need stays in the cache."""

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Arc:
    """A smooth curve and the density of its parameter t from ``start`` to ``end``.

    Attributes:
        at: the points c(t), (n, 2) for t of shape (n,).
        start, end: the interval of t.
        density: of t; None: uniform.
        quantile: the inverse of its distribution function; None: of the uniform one.
    """

    at: Function
    start: float
    end: float
    density: Function | None = None
    quantile: Function | None = None

    def nodes(self, noise: float) -> tuple[Tensor, Tensor]:
        """Points (k, 2) and weights (k,) that integrate Gaussians of std ``noise`` or more."""
        t = torch.linspace(self.start, self.end, 4097, dtype=torch.float64)
        steps = self.at(t).diff(dim=0).norm(dim=1)
        way = torch.cat([t.new_zeros(1), steps.cumsum(0)])
        panels = torch.searchsorted(way, way[-1] * torch.linspace(0, 1, _PANELS + 1).to(t))
        points, weights = zip(
            *(
                _gauss(float(t[i]), float(t[j]), float(steps[i:j].max()) * (j - i), noise)
                for i, j in pairwise(panels.clamp_max(4096).tolist())
            ),
            strict=True,
        )
        t = torch.cat(points)
        uniform = torch.full_like(t, 1 / (self.end - self.start))
        share = uniform if self.density is None else self.density(t)
        return self.at(t), torch.cat(weights) * share

    def place(self, u: Tensor) -> Tensor:
        """The points at the quantiles ``u`` of t."""
        t = self.start + (self.end - self.start) * u if self.quantile is None else self.quantile(u)
        return self.at(t)


def _gauss(start: float, end: float, length: float, noise: float) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights for a part of a curve that is at most ``length`` long."""
    # Imported where it is needed: this family is imported by every command.
    from scipy.special import roots_legendre

    # They are widest in the middle, pi/2 of their mean distance apart.
    count = math.ceil(math.pi / 2 * length / (_SPACING * noise)) + 12
    x, w = map(torch.from_numpy, roots_legendre(count))
    half = (end - start) / 2
    return start + half * (x + 1), half * w


@dataclass(frozen=True, eq=False)
class Ribbon:
    """Points c_k with Gaussian noise of one variance, and where samples come from.

    Attributes:
        nodes: (K, 2).
        log_weights: (K,).
        variance: tau^2, of the noise around the points.
        place: noiseless samples (n, 2) for uniform numbers (n, 2), on the CPU in float64.
        coarser: the same set with fewer nodes, enough for noise of 2, 4, 8, ... times its own.
    """

    nodes: Tensor
    log_weights: Tensor
    variance: float
    place: Function
    coarser: tuple[Ribbon, ...] = ()

    @staticmethod
    def along(arcs: Sequence[Arc], noise: float) -> Ribbon:
        """Equally many points of each of ``arcs``, with noise of std ``noise``."""

        def place(u: Tensor) -> Tensor:
            which = (u[:, 0] * len(arcs)).long().clamp_max(len(arcs) - 1)
            every = torch.stack([arc.place(u[:, 1]) for arc in arcs])
            return every[which, torch.arange(len(u))]

        def nodes(width: float) -> tuple[Tensor, Tensor]:
            points, weights = zip(*(arc.nodes(width) for arc in arcs), strict=True)
            return torch.cat(points), (torch.cat(weights) / len(arcs)).log()

        widths = [noise * 2**k for k in range(1, 11) if noise * 2**k < 2]
        coarser = tuple(Ribbon(*nodes(width), noise**2, place) for width in widths)
        return Ribbon(*nodes(noise), noise**2, place, coarser)

    def to(self, device: torch.device, dtype: torch.dtype) -> Ribbon:
        """The same set elsewhere."""
        nodes, log_weights = (x.to(device, dtype) for x in (self.nodes, self.log_weights))
        return Ribbon(nodes, log_weights, self.variance, self.place)

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y], shape (n, 2); ``s`` of shape () or (n,)."""
        total = self.variance + rows_of(s, y).square()
        centre = self._logits(y, total).softmax(1) @ self.nodes
        return torch.lerp(centre, y, self.variance / total)

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y`` (n, 2), shape (n,)."""
        fit = int(math.log2(1 + s * s / self.variance) / 2)
        own = (self, *self.coarser)[min(fit, len(self.coarser))].to(y.device, y.dtype)
        total = torch.full((1, 1), self.variance + s * s, device=y.device, dtype=y.dtype)
        parts = [own._logits(part, total).logsumexp(1) for part in y.split(_ROWS)]
        square = y.square().sum(1) / total[0]
        return torch.cat(parts) - 0.5 * square - (2 * math.pi * total[0]).log()

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples of the continuous set, float64, (count, 2)."""
        stream = NoiseStream(seed, "exact", 0, count, (2,), torch.float64)
        return self.place(stream.uniform()) + math.sqrt(self.variance) * stream.normal()

    def _logits(self, y: Tensor, total: Tensor) -> Tensor:
        """ln w_k - |y - c_k|^2 / (2 V) without its term in |y|^2, which all k share; (n, K)."""
        gaps = torch.addmm(self.nodes.square().sum(1).mul(-0.5), y, self.nodes.mT)
        return torch.addcdiv(self.log_weights, gaps, total)
