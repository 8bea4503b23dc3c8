"""The denoisers of score_sde's networks, and the noise levels that they know."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import Denoiser, from_eps
from bench_plugins.checkpoints.common import (
    levels_of,
    scale_rows,
)
from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe
from bench_plugins.checkpoints.vp_time import VpTime


def denoiser_of(network: nn.Module, recipe: ScoreSdeRecipe, device: torch.device) -> Denoiser:
    """D(y; s) = y - s eps of a network that was trained as ``recipe`` says."""
    if recipe.sde == "ve":
        return from_eps(_VeNoise(network, recipe))
    table = None if recipe.continuous else _table(recipe).to(device)
    return from_eps(_VpNoise(network, recipe, table))


def s_range(recipe: ScoreSdeRecipe, t_min: float) -> tuple[float, float]:
    """The trained noise-to-signal ratios of images in [-1, 1]."""
    config = recipe.network
    if recipe.sde == "ve":
        unit = 1.0 if config.centered else 2.0
        return unit * config.sigma_min, unit * config.sigma_max
    if not recipe.continuous:
        return _table(recipe).s_range
    time = VpTime(recipe.beta_min, recipe.beta_max)
    if recipe.sde == "subvp":
        return 2 * math.sinh(time.integral(t_min) / 2), 2 * math.sinh(time.integral(1.0) / 2)
    return time.ratio(t_min), time.ratio(1.0)


@dataclass(frozen=True, eq=False)
class _VeNoise:
    """eps = -sigma score, with score = network(x, sigma) for images x in [0, 1] (or [-1, 1])."""

    network: nn.Module
    recipe: ScoreSdeRecipe

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        config = self.recipe.network
        unit = 1.0 if config.centered else 2.0
        sigma = levels_of(s) / unit
        condition = sigma
        if not self.recipe.continuous:
            span = math.log(config.sigma_max / config.sigma_min)
            # Label 0 is the highest level.
            condition = (config.sigma_max / sigma).log() * ((config.num_scales - 1) / span)
        x = y if config.centered else (y + 1) / 2
        return scale_rows(self.network(x, condition, sigma), -sigma)


@dataclass(frozen=True, eq=False)
class _VpNoise:
    """eps = network(alpha y, 999 t) with the time t of the noise-to-signal ratio s, in float64."""

    network: nn.Module
    recipe: ScoreSdeRecipe
    table: LevelTable | None

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        level = levels_of(s)
        # sub-VP: sigma = 1 - exp(-B), alpha = exp(-B/2), so that s = 2 sinh(B/2).
        subvp = self.recipe.sde == "subvp"
        b = 2 * (level / 2).asinh() if subvp else level.square().log1p()
        alpha = (-b / 2).exp()
        if self.table is not None:
            label = self.table.label(level)
        else:
            label = VpTime(self.recipe.beta_min, self.recipe.beta_max).at(b, 999)
        result: Tensor = self.network(scale_rows(y, alpha), label)
        return result


def _table(recipe: ScoreSdeRecipe) -> LevelTable:
    """The betas of DDPM that are the SDE's, beta(t) / N at N levels; the label is t (N - 1)."""
    levels = recipe.network.num_scales
    ends = recipe.beta_min / levels, recipe.beta_max / levels
    return LevelTable.of_betas(torch.linspace(*ends, levels, dtype=torch.float64))
