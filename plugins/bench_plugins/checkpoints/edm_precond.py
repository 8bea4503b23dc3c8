"""The preconditionings of EDM's checkpoints: from the raw network F to the denoiser D(y; s).

Karras et al. 2022, arXiv:2206.00364, table 1: D = c_skip y + c_out F(c_in y; c_noise).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from bench.api import require
from bench_plugins.checkpoints.common import levels_of, scale_rows
from bench_plugins.checkpoints.networks.edm_unet import EdmUnetConfig
from bench_plugins.checkpoints.predictions import karras_coefficients


@dataclass(frozen=True)
class EdmRecipe:
    """Preconditioning, network and data of a checkpoint; JSON in the entry `edm` of a .safetensors.

    Attributes:
        precond: `edm`, `vp`, `ve` or `iddpm`.
        network: the network's sizes and parts.
        data: name of the data set.
        sigma_data: of `edm`: standard deviation of the data.
        sigma_min, sigma_max: the noise levels that the network takes.
        beta_d, beta_min, M: of `vp`: the schedule's slope and start; the number of labels.
        C_1, C_2: of `iddpm`: its cosine schedule's bounds (with M).
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    precond: Literal["edm", "vp", "ve", "iddpm"]
    network: EdmUnetConfig
    data: str = "unknown"
    sigma_data: float = 0.5
    sigma_min: float = 0.002
    sigma_max: float = 80.0
    beta_d: float = 19.9
    beta_min: float = 0.1
    M: int = 1000
    C_1: float = 0.001
    C_2: float = 0.008

    def __post_init__(self) -> None:
        require(0 < self.sigma_min < self.sigma_max, "0 < sigma_min < sigma_max must hold")
        require(self.sigma_data > 0, "sigma_data must be positive")
        require(self.beta_d > 0 and self.beta_min > 0, "beta_d and beta_min must be positive")
        require(2 <= self.M <= 100_000, "M must be from 2 to 100000")
        require(self.C_1 > 0 and self.C_2 > 0, "C_1 and C_2 must be positive")


def iddpm_levels(recipe: EdmRecipe) -> Tensor:
    """The noise levels of iDDPM, falling, float64, (M,): those of the labels M - 1, ..., 0.

    u_{j-1}^2 + 1 = (u_j^2 + 1) / max(abar_{j-1} / abar_j, C_1), u_M = 0, with
    abar_j = sin^2(pi/2 j / (M (C_2 + 1))).
    """
    total = recipe.M
    steps = torch.arange(total + 1, dtype=torch.float64)
    alpha_bar = (0.5 * math.pi * steps / (total * (recipe.C_2 + 1))).sin().square()
    ratios = (alpha_bar[:-1] / alpha_bar[1:]).clamp_min(recipe.C_1)
    # The product from the end, as a sum of logarithms.
    log_squares = -ratios.log().flip(0).cumsum(0).flip(0)
    return log_squares.expm1().sqrt()


@dataclass(frozen=True, eq=False)
class EdmDenoiser:
    """D(y; s), or D(y; s, c), of a network and a preconditioning.

    Attributes:
        network: F(x, c_noise, labels).
        recipe: the preconditioning.
        classes: the network's input for each class, one-hot, and last for no class: zeros,
            (label_dim + 1, label_dim); ``None`` without classes.
        levels: of `iddpm`: its noise levels.
    """

    network: nn.Module
    recipe: EdmRecipe
    classes: Tensor | None
    levels: Tensor | None = None

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        # Label -1, no class, picks the last row.
        one_hot = None if self.classes is None else self.classes[labels]
        sigma = levels_of(s)
        c_skip, c_out, c_in, c_noise = self._coefficients(sigma)
        raw = self.network(scale_rows(y, c_in), c_noise, one_hot)[:, : y.shape[1]]
        return scale_rows(y, c_skip) + scale_rows(raw, c_out)

    def _coefficients(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        recipe, one = self.recipe, torch.ones_like(sigma)
        if recipe.precond == "edm":
            return karras_coefficients(sigma, recipe.sigma_data)
        if recipe.precond == "ve":
            return one, sigma, one, (sigma / 2).log()
        shrink = (sigma.square() + 1).rsqrt()
        if recipe.precond == "vp":
            b = sigma.square().log1p()
            root = (recipe.beta_min**2 + 2 * recipe.beta_d * b).sqrt()
            return one, -sigma, shrink, (recipe.M - 1) * 2 * b / (root + recipe.beta_min)
        assert self.levels is not None
        # iDDPM's labels are whole: the nearest level's, as EDM rounds.
        nearest = (sigma[:, None] - self.levels).abs().argmin(1)
        return one, -sigma, shrink, recipe.M - 1 - nearest.double()
