"""Weights of times in the loss: positive functions lambda(t) of score matching.

All weights here are written for the score, as in Song et al. 2021 (arXiv:2011.13456),
equation 7: E_t lambda(t) E ||score(x_t, t) - grad log p(x_t | x_0)||^2. For a normalised
denoiser score = (alpha D - x_t) / sigma^2, so the same loss is
lambda(t) alpha^2 / sigma^4 ||D - x_0||^2: `on_denoiser` is that factor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from bench.api import NoiseProcess


class Weighting(ABC):
    """A positive function of time."""

    @abstractmethod
    def on_score(self, process: NoiseProcess, t: Tensor) -> Tensor:
        """lambda(t), the weight of the squared error of the score; shape of `t`."""

    def on_denoiser(self, process: NoiseProcess, t: Tensor) -> Tensor:
        """lambda(t) alpha^2 / sigma^4, the weight of ||D - x_0||^2; shape of `t`."""
        ratio = process.alpha(t) / process.sigma(t).square()
        return self.on_score(process, t) * ratio.square()


@dataclass(frozen=True)
class SigmaSquared(Weighting):
    """lambda = sigma^2: the eps-prediction loss ("simple loss"), Song et al. 2021, section 3.3.

    lambda is proportional to 1 / E ||grad log p(x_t | x_0)||^2.
    """

    def on_score(self, process: NoiseProcess, t: Tensor) -> Tensor:
        return process.sigma(t).square()


@dataclass(frozen=True)
class Likelihood(Weighting):
    """lambda = g^2: with t uniform the loss bounds the negative log-likelihood.

    Song, Durkan, Murray & Ermon 2021, "Maximum Likelihood Training of Score-Based Diffusion
    Models" (arXiv:2101.09258), theorem 1 and corollary 1. The bound needs `UniformTime`: no
    density is divided out here.
    """

    def on_score(self, process: NoiseProcess, t: Tensor) -> Tensor:
        return process.g2(t)


@dataclass(frozen=True)
class Unweighted(Weighting):
    """lambda = 1: plain score matching; its scale is 1 / sigma^2, so small times dominate."""

    def on_score(self, process: NoiseProcess, t: Tensor) -> Tensor:
        return t.new_ones(t.shape)


@dataclass(frozen=True)
class Edm(Weighting):
    """(s^2 + sigma_data^2) / (s sigma_data)^2 on the denoiser: EDM, table 1 and equation 8.

    It is 1 / c_out^2: the preconditioned network's own regression error counts equally at
    every noise level.
    """

    sigma_data: float = 0.5

    def on_score(self, process: NoiseProcess, t: Tensor) -> Tensor:
        ratio = process.sigma(t).square() / process.alpha(t)
        return self.on_denoiser(process, t) * ratio.square()

    def on_denoiser(self, process: NoiseProcess, t: Tensor) -> Tensor:
        s2 = (process.sigma(t) / process.alpha(t)).square()
        variance = self.sigma_data**2
        return (s2 + variance) / (s2 * variance)
