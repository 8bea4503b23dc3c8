"""Gaussian mixtures: score, posterior mean, density and samples in closed form."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Model,
    NoiseStream,
    Observation,
    ScoreModel,
    Target,
    paper,
    require,
    rows_of,
)


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


def _model(
    mixture: Mixture,
    description: object,
    s_min: float,
    s_max: float,
    name: str,
    device: torch.device,
    dtype: torch.dtype,
) -> ScoreModel:
    text = json.dumps(description, sort_keys=True)
    exact = mixture.to(torch.device("cpu"), torch.float64)
    return ScoreModel(
        denoiser=mixture.to(device, dtype).denoise,
        shape=(mixture.means.shape[1],),
        s_min=s_min,
        s_max=s_max,
        weights=hashlib.sha256(text.encode()).hexdigest(),
        target=Target(name, exact=exact),
    )


@dataclass(frozen=True)
class GaussianMixture(Model):
    """A mixture of isotropic Gaussians, given by its parameters.

    Attributes:
        means: K points of dimension d.
        stds: K standard deviations.
        weights: K positive weights (they are normalised); ``None``: equal ones.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "gaussian_mixture"
    reference: ClassVar[str] = "closed form; Karras et al. 2022, arXiv:2206.00364, Appendix B.3"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    means: tuple[tuple[float, ...], ...] = ((-1.0, -0.5), (0.8, 0.9), (0.6, -1.0))
    stds: tuple[float, ...] = (0.2, 0.35, 0.1)
    weights: tuple[float, ...] | None = (0.5, 0.3, 0.2)
    s_min: float = 0.002
    s_max: float = 80.0

    def __post_init__(self) -> None:
        count = len(self.means)
        require(
            count >= 1 and len({len(m) for m in self.means}) == 1 and len(self.means[0]) >= 1,
            "means must be a list of points of one dimension",
        )
        require(
            len(self.stds) == count and min(self.stds) > 0,
            f"stds must be {count} positive numbers, one for each mean",
        )
        require(
            self.weights is None or (len(self.weights) == count and min(self.weights) > 0),
            f"weights must be {count} positive numbers, one for each mean",
        )
        require(0 < self.s_min < self.s_max, "0 < s_min < s_max must hold")

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        means = torch.tensor(self.means, dtype=torch.float64)
        weights = torch.tensor(self.weights or [1.0] * len(self.means), dtype=torch.float64)
        variances = torch.tensor(self.stds, dtype=torch.float64).square()
        covariances = torch.eye(means.shape[1], dtype=torch.float64) * variances[:, None, None]
        mixture = Mixture.of(weights / weights.sum(), means, covariances)
        return _model(mixture, asdict(self), self.s_min, self.s_max, self.name, device, dtype)


@dataclass(frozen=True)
class RandomMixture(Model):
    """A random mixture with full covariances, for any dimension.

    Means are N(0, I); covariances are A A^T with A of independent N(0, spread^2 / d) entries.

    Attributes:
        dim: dimension d.
        components: number K of Gaussians.
        spread: typical standard deviation of a component.
        mixture_seed: seed of the mixture itself.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "random_mixture"
    reference: ClassVar[str] = "closed form; Karras et al. 2022, arXiv:2206.00364, Appendix B.3"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    dim: int = 16
    components: int = 5
    spread: float = 0.3
    mixture_seed: int = 0
    s_min: float = 0.002
    s_max: float = 80.0

    def __post_init__(self) -> None:
        require(1 <= self.dim <= 4096, "dim must lie in 1..4096")
        require(1 <= self.components <= 1024, "components must lie in 1..1024")
        require(self.spread > 0, "spread must be > 0")
        require(self.mixture_seed >= 0, "mixture_seed must be >= 0")
        require(0 < self.s_min < self.s_max, "0 < s_min < s_max must hold")

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        width = (self.dim + 2, self.dim)
        noise = NoiseStream(
            self.mixture_seed, "exact", 0, self.components, width, torch.float64
        ).normal()
        factors = noise[:, 2:] * (self.spread / math.sqrt(self.dim))
        weights = noise[:, 1, 0].mul(0.5).softmax(0)
        mixture = Mixture.of(weights, noise[:, 0], factors @ factors.mT)
        return _model(mixture, asdict(self), self.s_min, self.s_max, self.name, device, dtype)
