"""Statistics of codes that tell them from draws of N(0, I), with the influence of each code.

All are functions of weighted codes: ``z`` (n, d), float64, and ``w`` (n,), which are scaled to add
up to 1. What a code moves a statistic by is its derivative in the code's weight, times n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Statistic = Callable[[Tensor, Tensor], Tensor]
"""A number () of codes (n, d) and their weights (n,)."""


def mean_deviation(z: Tensor, w: Tensor) -> Tensor:
    """Root mean square over entries of the codes' mean."""
    return _root_mean_square(_mean(z, w))


def variance_deviation(z: Tensor, w: Tensor) -> Tensor:
    """Root mean square over entries of the codes' unbiased variance less 1."""
    return _root_mean_square(_variance(z, w) - 1)


def kurtosis_deviation(z: Tensor, w: Tensor) -> Tensor:
    """Root mean square over entries of the codes' excess kurtosis m_4 / m_2^2 - 3."""
    centred = z - _mean(z, w)
    second, fourth = _mean(centred**2, w), _mean(centred**4, w)
    return _root_mean_square(fourth / second**2 - 3)


@dataclass(frozen=True, eq=False)
class KolmogorovSmirnov:
    """Mean over directions of the largest gap between the projections' distribution and N(0, 1)'s.

    Attributes:
        directions: unit vectors, (k, d).
    """

    directions: Tensor

    def __call__(self, z: Tensor, w: Tensor) -> Tensor:
        projected, order = (z @ self.directions.mT).sort(dim=0)
        weights = (w / w.sum())[order]
        after, normal = weights.cumsum(0), torch.special.ndtr(projected)
        gaps = torch.cat([after - normal, normal - (after - weights)])
        return gaps.amax(0).mean()


def energy_distance(z: Tensor, w: Tensor) -> Tensor:
    """2 E|Z - X| - E|X - X'| - E|Z - Z'| for X, X' of N(0, I), unbiased in the codes.

    Szekely and Rizzo 2005, Journal of Multivariate Analysis 93(1), for a known mean and
    covariance, and with pairs of different codes alone.
    """
    d = z.shape[1]
    w = w / w.sum()
    with torch.no_grad():
        to_normal = distance_to_normal(z.square().sum(1), d)
        between = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")
    pairs = (w @ between @ w) / (1 - w.square().sum())
    return (
        2 * (w * to_normal).sum()
        - 2 * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
        - pairs
    )


def distance_to_normal(squares: Tensor, d: int) -> Tensor:
    """E|z - X| for X of N(0, I_d) and z of squared norms ``squares``, both (n,), float64.

    |z - X|^2 is a chi-square of d + 2 K degrees of freedom with K Poisson of mean |z|^2 / 2. The
    confluent hypergeometric function of Szekely and Rizzo is the same, and overflows where it is
    summed as it stands from some hundred dimensions on.
    """
    mean = squares[:, None] / 2
    reach = math.ceil(12 * math.sqrt(float(mean.max()) + 1) + 30)
    near = mean.floor() + torch.arange(-reach, reach + 1)
    k = near.clamp_min(0)
    share = torch.exp(torch.xlogy(k, mean) - mean - torch.lgamma(k + 1)) * (near >= 0)
    root = torch.exp(torch.lgamma((d + 1) / 2 + k) - torch.lgamma(d / 2 + k))
    return math.sqrt(2) * (share * root).sum(1)


def influences(statistic: Statistic, z: Tensor) -> Tensor:
    """n times the derivative of ``statistic`` in the weight of each code, (n,); of mean 0."""
    with torch.enable_grad():
        w = torch.full(z.shape[:1], 1 / len(z), dtype=z.dtype, requires_grad=True)
        (slope,) = torch.autograd.grad(statistic(z, w), w)
    return slope


def evaluate(statistic: Statistic, z: Tensor) -> float:
    """The statistic of equally weighted codes."""
    return float(statistic(z, torch.full(z.shape[:1], 1 / len(z), dtype=z.dtype)))


def _mean(z: Tensor, w: Tensor) -> Tensor:
    return (w / w.sum()) @ z


def _variance(z: Tensor, w: Tensor) -> Tensor:
    share = w / w.sum()
    return _mean((z - _mean(z, w)).square(), w) / (1 - share.square().sum())


def _root_mean_square(values: Tensor) -> Tensor:
    return values.square().mean().sqrt()
