"""EDM's checkpoints as normalised denoisers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Asset, BenchError, FilePath, ScoreModel, paper, require
from bench_plugins.checkpoints.catalogue import asset_of, local_path
from bench_plugins.checkpoints.classes import Choice, Label
from bench_plugins.checkpoints.common import build_network, file_hash, pixel_target
from bench_plugins.checkpoints.convert import write_safetensors
from bench_plugins.checkpoints.describe import edm_content
from bench_plugins.checkpoints.edm_files import read_edm
from bench_plugins.checkpoints.edm_precond import EdmDenoiser, EdmRecipe, iddpm_levels
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.reading.safe_files import read_safetensors


@dataclass(frozen=True)
class Edm(NetworkModel):
    """The pretrained networks of EDM (CIFAR-10, FFHQ, AFHQv2, ImageNet-64).

    Attributes:
        path: the .pkl file, of which nothing is executed, or a .safetensors made of it; or
            `published:NAME`, such as published:edm-cifar10-32x32-uncond-vp (`bench models list`).
        label: of a conditional network, the class of all samples, from 0, or -1 for none;
            ``None``: each sample's own is drawn, all alike probable; ``balanced``: the same
            number of samples of each (to one).
        data: name of the data set; empty: what the file says.
        s_min, s_max: the range of noise levels; ``None``: what EDM's sampler takes, 0.002 to 80
            as far as the network goes.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "edm"
    reference: ClassVar[str] = (
        "Karras et al. 2022, arXiv:2206.00364, Table 1; github.com/NVlabs/edm"
    )
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    path: FilePath = "network.pkl"
    label: Label = None
    data: str = ""
    s_min: float | None = None
    s_max: float | None = None
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        require(bool(self.path), "path must name a file")
        self._choice.check()
        for value in (self.s_min, self.s_max):
            require(value is None or 0 < value < math.inf, "s_min and s_max must be positive")

    def assets(self) -> Sequence[Asset]:
        return asset_of(self.path)

    @classmethod
    def describe(cls, path: str) -> Mapping[str, object] | None:
        file = local_path(path)
        known = file.suffix == ".pkl"
        if file.suffix == ".safetensors":
            known = "edm" in read_safetensors(file)[1]
        return edm_content(read_edm(file)[0]) if known else None

    def export(self, target: Path) -> None:
        recipe, weights = read_edm(local_path(self.path))
        record = {"edm": asdict(recipe), "source_sha256": file_hash(self.name, self.path)}
        write_safetensors(target, record, weights)

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = local_path(self.path)
        recipe, state = read_edm(path)
        network = build_network(partial(EdmUnet, recipe.network), state, path)
        levels = iddpm_levels(recipe).to(device) if recipe.precond == "iddpm" else None
        s_min, s_max = self._range(recipe)
        config = recipe.network
        running = self.prepare(network, device, dtype)
        denoiser = EdmDenoiser(running, recipe, _one_hot_classes(config.label_dim, device), levels)
        return ScoreModel(
            denoiser=self._choice.of(denoiser, config.label_dim, True, f"model 'edm': {self.path}"),
            shape=(config.in_channels, config.img_resolution, config.img_resolution),
            s_min=s_min,
            s_max=s_max,
            weights=file_hash(self.name, self.path),
            target=pixel_target(self.data or recipe.data, self.held_out),
        )

    def _range(self, recipe: EdmRecipe) -> tuple[float, float]:
        s_min = self.s_min or max(0.002, recipe.sigma_min)
        s_max = self.s_max or min(80.0, recipe.sigma_max)
        if not recipe.sigma_min <= s_min < s_max <= recipe.sigma_max:
            raise BenchError(
                f"model 'edm': s from {s_min:g} to {s_max:g} was asked, but {self.path} covers "
                f"{recipe.sigma_min:g} to {recipe.sigma_max:g}"
            )
        return s_min, s_max

    @property
    def _choice(self) -> Choice:
        return Choice(self.label)


def _one_hot_classes(classes: int, device: torch.device) -> Tensor | None:
    """One-hot input of each class, and last (at -1) of none."""
    return torch.eye(classes + 1, classes, device=device) if classes else None
