"""The Frechet distance between Gaussians, from streamed moments, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.core.errors import BenchError

_BLOCK = 4096  # rows that are doubled in float64 at a time
_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True, eq=False)
class Moments:
    """Number, mean (d,) and sum of centred outer products (d, d) of a set of features."""

    count: int
    mean: Tensor
    scatter: Tensor

    @staticmethod
    def of(features: Tensor) -> Moments:
        """Moments of ``features`` (n, d)."""
        x = features.double()
        mean = x.mean(0)
        centred = x - mean
        return Moments(len(x), mean, centred.mT @ centred)

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets together (Chan, Golub and LeVeque 1979): no cancellation."""
        count = self.count + other.count
        gap = other.mean - self.mean
        mean = self.mean + gap * (other.count / count)
        scatter = self.scatter + other.scatter
        scatter = scatter + torch.outer(gap, gap) * (self.count * other.count / count)
        return Moments(count, mean, scatter)

    @property
    def rank(self) -> int:
        """The largest rank that the covariance can have."""
        return min(self.count - 1, len(self.mean))

    @property
    def covariance(self) -> Tensor:
        """Unbiased covariance (d, d), as numpy.cov and torch-fidelity compute it.

        Raises:
            BenchError: of one sample.
        """
        if self.count < 2:
            raise BenchError(f"{self.count} sample has no covariance; give two at least")
        return self.scatter / (self.count - 1)


def frechet_distance(
    mean_1: Tensor,
    covariance_1: Tensor,
    mean_2: Tensor,
    covariance_2: Tensor,
    *,
    factor_1: Tensor | None = None,
    rank: int | None = None,
) -> float:
    """|m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2)).

    Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500, Eq. 6. The trace of the root is
    the sum of the roots of the eigenvalues of A^T C_2 A with C_1 = A A^T, a symmetric problem.

    Args:
        mean_1: m_1, (d,), float64.
        covariance_1: C_1, (d, d), float64, symmetric and positive semidefinite.
        mean_2: m_2, as ``mean_1``.
        covariance_2: C_2, as ``covariance_1``.
        factor_1: ``root_factor(covariance_1)``, where it is known already.
        rank: the largest rank that C_1 C_2 can have, where it is known (n - 1 for n < d points).
            The eigenvalues beyond it are round-off, whose roots would add up.

    Raises:
        BenchError: it is below zero by more than round-off: a matrix is no covariance.
    """
    factor = root_factor(covariance_1) if factor_1 is None else factor_1
    values = torch.linalg.eigvalsh(factor.mT @ covariance_2 @ factor)
    if rank is not None:
        values = values[max(len(values) - rank, 0) :]  # ascending
    values = values.clamp_min(0)
    gap = (mean_1 - mean_2).square().sum()
    sizes = gap + covariance_1.trace() + covariance_2.trace()
    value = float(sizes - 2 * values.sqrt().sum())
    if value < -(_round_off(values) + len(mean_1) * _EPS * float(sizes)):
        raise BenchError(f"the Frechet distance is {value:.6g}: a matrix given is no covariance")
    return max(value, 0.0)


def _round_off(values: Tensor) -> float:
    """The largest error of twice the sum of the roots of eigenvalues, (rank,), ascending.

    Each eigenvalue is known to n eps of the largest; the root makes much of that in small ones.
    """
    if not len(values):
        return 0.0
    error = len(values) * _EPS * values[-1]
    return 2 * float((values + error).sqrt().sub(values.sqrt()).sum())


def frechet_influence(features: Tensor, mean: Tensor, covariance: Tensor, factor: Tensor) -> Tensor:
    """Influence of each sample on the distance of its set to a Gaussian, (n,), float64, mean 0.

    The first-order term of the distance in the empirical distribution (the influence function,
    Hampel 1974): 2 (m - m_1).(x - m) + (x - m)^T G (x - m) less its mean, where
    G = I - A (A^T C A)^(-1/2) A^T is the gradient in the covariance C of the features (Dowson and
    Landau's optimal map, C_1 = A A^T). Their standard deviation over sqrt(n) is the standard error
    of the distance.

    Args:
        features: (n, d), on any device; computed in blocks on that of ``mean``.
        mean: m_1 of the Gaussian, (d,), float64.
        covariance: C of the features, (d, d), float64.
        factor: ``root_factor`` of the covariance C_1 of the Gaussian.
    """
    own = sum(block.to(mean).sum(0) for block in features.split(_BLOCK)) / len(features)
    values, vectors = torch.linalg.eigh(factor.mT @ covariance @ factor)
    kept = _above_round_off(values)
    half = factor @ (vectors[:, kept] * values[kept].pow(-0.25))
    parts = []
    for block in features.split(_BLOCK):
        centred = block.to(mean) - own
        inner = centred.square().sum(1) - (centred @ half).square().sum(1)
        parts.append(2 * centred @ (own - mean) + inner)
    found = torch.cat(parts)
    return found - found.mean()


def root_factor(covariance: Tensor) -> Tensor:
    """A with A A^T = C: Cholesky, or scaled eigenvectors (d, rank) where C is singular.

    Of a constant's covariance, which is zero, A has no columns.
    """
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        values, vectors = torch.linalg.eigh(covariance)
        kept = _above_round_off(values)
        factor = vectors[:, kept] * values[kept].sqrt()
    return factor


def _above_round_off(values: Tensor) -> Tensor:
    """Mask of a matrix's eigenvalues (ascending) above its round-off; empty for a zero matrix."""
    return values > len(values) * _EPS * values[-1:].clamp_min(0)
