"""The correctors of Song et al. 2021 (arXiv:2011.13456), norms per sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Corrector, Problem, Time, paper, require, rows_of


@dataclass(frozen=True)
class _SnrSteps(Corrector):
    """The parameters of both: ``steps`` Langevin steps of a size that ``snr`` sets."""

    snr: float = 0.16
    steps: int = 1

    def __post_init__(self) -> None:
        require(self.snr > 0, "snr must be > 0")
        require(self.steps >= 1, "steps must be >= 1")

    def cost(self) -> int:
        return self.steps


@dataclass(frozen=True)
class Langevin(_SnrSteps):
    """Langevin dynamics with the step 2 (snr |z| / |score|)^2.

    Norms are each sample's own (the authors average them over the batch, so that their samples
    depend on it), and the factor alpha_i = 1 - beta_i of the authors' discrete VP chain is 1, as
    in continuous time. The step leaves a bias of about snr^2 that does not vanish with the number
    of steps: 2.6 % of the variance at 0.16.

    Attributes:
        snr: signal-to-noise ratio r of a step.
        steps: steps per call.
    """

    name: ClassVar[str] = "langevin"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Algorithms 4 and 5"
    bibtex: ClassVar[str] = paper("song2021score")

    def correct(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        for _ in range(self.steps):
            score, z = problem.score(x, now), problem.normal()
            size = 2 * (self.snr * _norms(z) / _norms(score).clamp_min(1e-12)) ** 2
            x = score.mul_(rows_of(size, x)).add_(x).addcmul_(rows_of((2 * size).sqrt(), x), z)
        return x


@dataclass(frozen=True)
class AnnealedLangevin(_SnrSteps):
    """Annealed Langevin dynamics: the step is 2 (snr sigma)^2, without norms.

    Attributes:
        snr: signal-to-noise ratio r of a step.
        steps: steps per call.
    """

    name: ClassVar[str] = "annealed_langevin"
    reference: ClassVar[str] = "Song and Ermon 2019, arXiv:1907.05600, Algorithm 1; score_sde's ald"
    bibtex: ClassVar[str] = paper("song2019generative")

    def correct(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        size = 2 * (self.snr * now.sigma) ** 2
        for _ in range(self.steps):
            score, z = problem.score(x, now), problem.normal()
            x = score.mul_(size).add_(x).add_(z, alpha=(2 * size) ** 0.5)
        return x


def _norms(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, shape (n,)."""
    norms: Tensor = torch.linalg.vector_norm(x.flatten(1), dim=1)
    return norms
