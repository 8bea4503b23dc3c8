"""Gaussian mixtures in closed form: posterior mean, density, samples, and the posterior given y."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.api import NoiseStream, Observation, rows_of


@dataclass(frozen=True, eq=False)
class Mixture:
    """sum_k w_k N(m_k, C_k), smoothed by noise of any level s.

    Covariances are kept as eigenvectors and eigenvalues, so that C_k + s^2 I costs nothing.

    Attributes:
        log_weights: (K,).
        means: (K, d).
        vectors: (K, d, d), orthonormal columns.
        values: (K, d), eigenvalues >= 0.
    """

    log_weights: Tensor
    means: Tensor
    vectors: Tensor
    values: Tensor

    @staticmethod
    def of(weights: Tensor, means: Tensor, covariances: Tensor) -> Mixture:
        """From weights (K,) adding up to 1, means (K, d) and covariances (K, d, d)."""
        values, vectors = torch.linalg.eigh(covariances)
        return Mixture(weights.log(), means, vectors, values.clamp_min(0))

    def to(self, device: torch.device, dtype: torch.dtype) -> Mixture:
        """The same mixture elsewhere."""
        return Mixture(
            self.log_weights.to(device, dtype),
            self.means.to(device, dtype),
            self.vectors.to(device, dtype),
            self.values.to(device, dtype),
        )

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y], shape (n, d); ``s`` of shape () or (n,)."""
        variance = self.values + rows_of(s, y).square()[..., None]
        z = self._rotate(y)
        share = self._log_joint(z, variance).softmax(1)
        shrunk = torch.einsum("nkd,ked->nke", z * (self.values / variance), self.vectors)
        return torch.einsum("nk,nkd->nd", share, self.means + shrunk)

    def log_joint(self, y: Tensor, s: Tensor) -> Tensor:
        """ln w_k + ln N(y; m_k, C_k + s^2 I), (n, K); ``s`` of shape () or (n,)."""
        variance = self.values + rows_of(s, y).square()[..., None]
        return self._log_joint(self._rotate(y), variance)

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y`` (n, d), shape (n,)."""
        mixture = self.to(y.device, y.dtype)
        return mixture._log_joint(mixture._rotate(y), mixture.values + s * s).logsumexp(1)

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples, float64, (count, d)."""
        k, d = self.means.shape
        noise = NoiseStream(seed, "exact", 0, count, (d + 1,), torch.float64).normal()
        edges = self.log_weights.double().exp().cumsum(0)
        component = torch.searchsorted(edges, torch.special.ndtr(noise[:, 0])).clamp_max(k - 1)
        z = noise[:, 1:] * self.values.double().sqrt()[component]
        rotated = torch.einsum("ned,nd->ne", self.vectors.double()[component], z)
        return self.means.double()[component] + rotated

    def posterior(self, observation: Observation) -> MixturePosterior:
        """The distribution of each row given its linear observation: a mixture again."""
        seen = observation.linear
        m = len(seen.values)
        unit = torch.eye(m, dtype=observation.value.dtype, device=observation.value.device)
        b = seen.adjoint(unit).flatten(1).to(self.means)  # (m, d)
        z = observation.value.to(self.means)
        covariances = torch.einsum("kde,ke,kfe->kdf", self.vectors, self.values, self.vectors)
        spread = b @ covariances @ b.T + observation.noise**2 * torch.eye(m).to(b)
        root = torch.linalg.cholesky(spread)  # (K, m, m)
        cross = torch.cholesky_solve(b @ covariances, root)  # S^-1 B C, (K, m, d)
        gap = z[:, None] - self.means @ b.T  # (n, K, m)
        means = self.means + torch.einsum("nkm,kmd->nkd", gap, cross)
        rest = covariances - torch.einsum("md,kde,kmf->kef", b, covariances, cross)
        values, vectors = torch.linalg.eigh((rest + rest.mT) / 2)
        whitened = torch.linalg.solve_triangular(root, gap.permute(1, 2, 0), upper=False)
        log_det = root.diagonal(dim1=1, dim2=2).log().sum(1)
        fit = -0.5 * whitened.square().sum(1).T - log_det
        weights = (self.log_weights + fit).log_softmax(1)
        return MixturePosterior(Mixture(weights, means, vectors, values.clamp_min(0)))

    def _rotate(self, y: Tensor) -> Tensor:
        """Offsets from each mean in its component's eigenbasis, (n, K, d)."""
        return torch.einsum("nke,ked->nkd", y[:, None] - self.means, self.vectors)

    def _log_joint(self, z: Tensor, variance: Tensor) -> Tensor:
        """ln w_k + ln N_k, (n, K)."""
        quadratic = (z.square() / variance + variance.log()).sum(-1)
        return self.log_weights - 0.5 * (quadratic + z.shape[-1] * math.log(2 * math.pi))


@dataclass(frozen=True, eq=False)
class MixturePosterior:
    """A mixture of its own for each row.

    Attributes:
        mixture: with log_weights (n, K) and means (n, K, d); the covariances are those of all.
    """

    mixture: Mixture

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y, observation], (n, d); ``s`` of shape () or (n,)."""
        return self.mixture.to(y.device, y.dtype).denoise(y, s)

    def sample(self, seed: int) -> Tensor:
        """One exact sample for each row, float64, (n, d)."""
        mixture = self.mixture
        n, k, d = mixture.means.shape
        noise = NoiseStream(seed, "exact", 0, n, (d + 1,), torch.float64).normal()
        edges = mixture.log_weights.exp().cumsum(1)
        place = torch.special.ndtr(noise[:, :1])
        component = torch.searchsorted(edges, place).clamp_max(k - 1)[:, 0]
        z = noise[:, 1:] * mixture.values.sqrt()[component]
        rotated = torch.einsum("ned,nd->ne", mixture.vectors[component], z)
        return mixture.means[torch.arange(n), component] + rotated

    def of_rows(self, rows: Tensor) -> MixturePosterior:
        """That of the samples with the indices ``rows``."""
        rows, own = rows.cpu(), self.mixture
        return MixturePosterior(
            replace(own, log_weights=own.log_weights[rows], means=own.means[rows])
        )
