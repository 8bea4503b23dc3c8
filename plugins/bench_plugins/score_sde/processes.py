"""The three SDEs of Song et al. 2021 (arXiv:2011.13456): VE, VP and sub-VP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseProcess, paper, require


@dataclass(frozen=True)
class VE(NoiseProcess):
    """Variance exploding: alpha = 1, sigma(t) = sigma_min (sigma_max / sigma_min)^t, t in [0, 1].

    The marginal has the standard deviation sigma(t), not (sigma(t)^2 - sigma(0)^2)^(1/2): the
    data are taken to carry noise sigma_min already, as in the authors' code.
    """

    name: ClassVar[str] = "ve"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 30"
    bibtex: ClassVar[str] = paper("song2021score")

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        require(0 < self.sigma_min < self.sigma_max, "0 < sigma_min < sigma_max must hold")

    @property
    def t_min(self) -> float:
        return 0.0

    @property
    def t_max(self) -> float:
        return 1.0

    def alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def time_at(self, s: Tensor) -> Tensor:
        return (s / self.sigma_min).log() / math.log(self.sigma_max / self.sigma_min)


@dataclass(frozen=True)
class _LinearBeta(NoiseProcess):
    """beta(t) = beta_min + t (beta_max - beta_min); B(t) is its integral from 0 to t."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        require(0 < self.beta_min < self.beta_max, "0 < beta_min < beta_max must hold")

    @property
    def t_min(self) -> float:
        return 1e-5

    @property
    def t_max(self) -> float:
        return 1.0

    def _integral(self, t: Tensor) -> Tensor:
        return t * (self.beta_min + 0.5 * t * (self.beta_max - self.beta_min))

    def _time_of_integral(self, b: Tensor) -> Tensor:
        # Positive root of slope/2 t^2 + beta_min t - b = 0, in the form without cancellation.
        slope = self.beta_max - self.beta_min
        return 2 * b / (self.beta_min + (self.beta_min**2 + 2 * slope * b).sqrt())

    def alpha(self, t: Tensor) -> Tensor:
        return (-0.5 * self._integral(t)).exp()


@dataclass(frozen=True)
class VP(_LinearBeta):
    """Variance preserving: alpha = exp(-B/2), sigma^2 = 1 - exp(-B), linear beta."""

    name: ClassVar[str] = "vp"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 32; DDPM's limit"
    bibtex: ClassVar[str] = paper("song2021score")

    def sigma(self, t: Tensor) -> Tensor:
        return (-torch.expm1(-self._integral(t))).sqrt()

    def time_at(self, s: Tensor) -> Tensor:
        return self._time_of_integral((s * s).log1p())


@dataclass(frozen=True)
class SubVP(_LinearBeta):
    """Sub-variance preserving: alpha = exp(-B/2), sigma = 1 - exp(-B) (no root), linear beta."""

    name: ClassVar[str] = "subvp"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 15 and 29"
    bibtex: ClassVar[str] = paper("song2021score")

    def sigma(self, t: Tensor) -> Tensor:
        return -torch.expm1(-self._integral(t))

    def time_at(self, s: Tensor) -> Tensor:
        return self._time_of_integral(2 * (0.5 * s).asinh())
