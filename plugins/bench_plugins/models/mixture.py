"""Models that are Gaussian mixtures, given by their parameters or drawn at random."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch

from bench.api import Model, NoiseStream, ScoreModel, Target, paper, require
from bench_plugins.models.closed_form import Mixture


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
