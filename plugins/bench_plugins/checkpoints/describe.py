"""Descriptions of checkpoints (`bench models info`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.k_diffusion_config import KDiffusionRecipe, maker
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe


def edm_content(recipe: EdmRecipe) -> Mapping[str, object]:
    """Of a checkpoint of EDM."""
    network = recipe.network
    return {
        "network": f"EDM's {network.family} U-Net, preconditioning {recipe.precond}",
        "parameters": _parameters(lambda: EdmUnet(network)),
        "data": recipe.data,
        "shape": [network.in_channels, network.img_resolution, network.img_resolution],
        "classes": network.label_dim,
        "s": [recipe.sigma_min, recipe.sigma_max],
    }


def score_sde_content(recipe: ScoreSdeRecipe, s: tuple[float, float]) -> Mapping[str, object]:
    """Of a checkpoint of score_sde; ``s``: its noise-to-signal ratios."""
    network = recipe.network
    levels = "all levels" if recipe.continuous else "a table of levels"
    return {
        "network": f"score_sde's, {network.resblock} blocks; {recipe.sde}, {levels}",
        "parameters": _parameters(lambda: NCSNpp(network)),
        "data": recipe.data,
        "shape": [network.channels, network.image_size, network.image_size],
        "s": list(s),
    }


def k_diffusion_content(recipe: KDiffusionRecipe) -> Mapping[str, object]:
    """Of a checkpoint of k-diffusion."""
    make = maker(recipe)
    return {
        "network": f"k-diffusion's {type(_meta(make)).__name__}, sigma_data {recipe.sigma_data:g}",
        "parameters": _parameters(make),
        "data": recipe.data,
        "shape": list(recipe.shape),
        "classes": recipe.classes,
        "s": [recipe.sigma_min, recipe.sigma_max],
    }


def _meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


def _parameters(make: Callable[[], nn.Module]) -> int:
    return sum(parameter.numel() for parameter in _meta(make).parameters())
