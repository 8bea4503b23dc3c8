"""EDM's process: sigma(t) = t without scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseProcess, paper, require


@dataclass(frozen=True)
class EDM(NoiseProcess):
    """alpha = 1, sigma(t) = t: time is the noise level.

    Attributes:
        sigma_min, sigma_max: range of the noise level.
    """

    name: ClassVar[str] = "edm"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Table 1 and Eq. 4"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        require(0 < self.sigma_min < self.sigma_max, "0 < sigma_min < sigma_max must hold")

    @property
    def t_min(self) -> float:
        return self.sigma_min

    @property
    def t_max(self) -> float:
        return self.sigma_max

    def alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        return t

    def time_at(self, s: Tensor) -> Tensor:
        return s
