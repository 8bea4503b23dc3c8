"""The networks of score_sde and EDM as modules that can be trained, and written when they are.

What is written loads again as the model `score_sde` or `edm`: the header says the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from bench_plugins.checkpoints.convert import write_safetensors
from bench_plugins.checkpoints.edm_precond import EdmDenoiser, EdmRecipe
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet
from bench_plugins.checkpoints.networks.initial import initialise_edm, initialise_ncsnpp
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp
from bench_plugins.checkpoints.score_sde_denoiser import denoiser_of
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe


class TrainableScoreSde(nn.Module):
    """D(y; s) of a freshly initialised NCSN++ or DDPM++."""

    def __init__(self, recipe: ScoreSdeRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = NCSNpp(recipe.network)
        initialise_ncsnpp(self.network)
        self.to(memory_format=torch.channels_last)  # a fifth faster on a CPU

    def forward(self, y: Tensor, s: Tensor) -> Tensor:
        """y: (n, channels, h, w) in [-1, 1] plus noise; s: () or (n,)."""
        # Made anew for each call: a copy of this module must not keep the old network.
        return denoiser_of(self.network, self.recipe, torch.device(y.device))(y, s)

    def save(self, path: Path, record: Mapping[str, object]) -> None:
        """Write a file of the model `score_sde`; ``record`` describes the training."""
        description = {"score_sde": asdict(self.recipe), "training": dict(record)}
        write_safetensors(path, description, _float32(self.network))


class TrainableEdm(nn.Module):
    """D(y; s) of a freshly initialised U-Net of EDM, unconditional."""

    def __init__(self, recipe: EdmRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = EdmUnet(recipe.network)
        initialise_edm(self.network)
        self.to(memory_format=torch.channels_last)

    def forward(self, y: Tensor, s: Tensor) -> Tensor:
        """y: (n, channels, h, w) in [-1, 1] plus noise; s: () or (n,)."""
        return EdmDenoiser(self.network, self.recipe, None)(y, s)

    def save(self, path: Path, record: Mapping[str, object]) -> None:
        """Write a file of the model `edm`; ``record`` describes the training."""
        description = {"edm": asdict(self.recipe), "training": dict(record)}
        write_safetensors(path, description, _float32(self.network))


def _float32(network: nn.Module) -> dict[str, Tensor]:
    """The state, float32; tables that are float64 stay so."""
    parameters = {name for name, _ in network.named_parameters()}
    return {
        name: tensor.float() if name in parameters else tensor
        for name, tensor in network.state_dict().items()
    }
