"""k-diffusion's checkpoints as normalised denoisers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from bench.api import Asset, BenchError, FilePath, ScoreModel, inert, paper, require
from bench_plugins.checkpoints.catalogue import asset_of, local_path
from bench_plugins.checkpoints.classes import Choice, Label
from bench_plugins.checkpoints.common import (
    build_network,
    file_hash,
    levels_of,
    pixel_target,
    scale_rows,
)
from bench_plugins.checkpoints.describe import k_diffusion_content
from bench_plugins.checkpoints.k_diffusion_config import KDiffusionRecipe, maker, recipe_of
from bench_plugins.checkpoints.papers import HOURGLASS
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.predictions import karras_coefficients
from bench_plugins.checkpoints.reading.safe_files import header, read_safetensors
from bench_plugins.checkpoints.reading.torch_files import read_torch

_WRAPPER = "inner_model."


@dataclass(frozen=True)
class KDiffusion(NetworkModel):
    """A network that k-diffusion trained: its U-Net (image_v1) or its hourglass transformer.

    Attributes:
        path: the .pth of its training, or the .safetensors that its convert_for_inference made; or
            `published:NAME` of a file that you fetched (`bench models fetch --url`).
        config: the JSON file of its configuration; empty where the file holds it.
        weights: of a .pth: `ema`, the moving average that k-diffusion samples from, or `model`.
        label: of a conditional network, the class of all samples, from 0, or -1 for none;
            ``None``: each sample's own is drawn, all alike probable; ``balanced``: the same
            number of samples of each (to one).
        data: name of the data set; empty: what the configuration says.
        s_min, s_max: the range of noise levels; ``None``: that of the configuration.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "k_diffusion"
    reference: ClassVar[str] = (
        "Crowson et al. 2024, arXiv:2401.11605; Karras et al. 2022, arXiv:2206.00364, Table 1; "
        "github.com/crowsonkb/k-diffusion"
    )
    bibtex: ClassVar[str] = (
        HOURGLASS + paper("karras2022elucidating") + paper("crowson2022kdiffusion")
    )

    path: FilePath = "model.pth"
    config: FilePath = ""
    weights: Literal["ema", "model"] = "ema"
    label: Label = None
    data: str = ""
    s_min: float | None = None
    s_max: float | None = None
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        require(bool(self.path), "path must name a file")
        Choice(self.label).check()
        for value in (self.s_min, self.s_max):
            require(value is None or 0 < value < math.inf, "s_min and s_max must be positive")

    def assets(self) -> Sequence[Asset]:
        return asset_of(self.path)

    @classmethod
    def describe(cls, path: str) -> Mapping[str, object] | None:
        file = local_path(path)
        if file.suffix == ".safetensors":
            text = header(file).get("config")
        elif file.suffix == ".pth":
            loaded = read_torch(file)
            if not isinstance(loaded, dict) or "model_ema" not in loaded:
                return None
            text = _text(loaded["config"], file) if "config" in loaded else ""
        else:
            return None
        if not text:
            network = "k-diffusion's; the file does not say which: set config"
            return {"network": network} if text == "" else None
        return k_diffusion_content(recipe_of(text, f"{path}: its configuration"))

    def fingerprint(self) -> str:
        """Empty. An impossible configuration is refused, already at planning."""
        if self.config:
            self._recipe(Path(self.path), None)
        return ""

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = local_path(self.path)
        recipe, state = self._read(path)
        network = build_network(maker(recipe), state, path)
        s_min = recipe.sigma_min if self.s_min is None else self.s_min
        s_max = recipe.sigma_max if self.s_max is None else self.s_max
        if s_min >= s_max:
            raise BenchError(f"model '{self.name}': s_min {s_min:g} must be below s_max {s_max:g}")
        return ScoreModel(
            # It was trained without its class at times, and so takes none too.
            denoiser=Choice(self.label).of(
                _KarrasDenoiser(
                    self.prepare(network, device, dtype), recipe.sigma_data, recipe.classes
                ),
                recipe.classes,
                True,
                f"model '{self.name}': {self.path}",
            ),
            shape=recipe.shape,
            s_min=s_min,
            s_max=s_max,
            weights=file_hash(self.name, self.path),
            target=pixel_target(self.data or recipe.data, self.held_out),
        )

    def _read(self, path: Path) -> tuple[KDiffusionRecipe, dict[str, Tensor]]:
        """The recipe, and the weights under the names of the network.

        Raises:
            BenchError: a file is missing, damaged, hostile, or of another network.
        """
        if path.suffix == ".safetensors":
            state: Any = read_safetensors(path)[0]
            recipe = self._recipe(path, header(path).get("config"))
        else:
            loaded = read_torch(path)
            entry = "model_ema" if self.weights == "ema" else "model"
            state = loaded.get(entry) if isinstance(loaded, dict) else None
            if not isinstance(state, dict) or not state:
                raise inert.forbidden_error(
                    path, f"it is no checkpoint of k-diffusion (no entry '{entry}')"
                )
            text = loaded.get("config")
            recipe = self._recipe(path, None if text is None else _text(text, path))
        if not all(isinstance(tensor, Tensor) for tensor in state.values()):
            raise inert.forbidden_error(path, "its weights are more than tensors")
        # Its wrapper for augmentations puts this before each name.
        return recipe, {str(name).removeprefix(_WRAPPER): item for name, item in state.items()}

    def _recipe(self, path: Path, text: str | None) -> KDiffusionRecipe:
        if self.config:
            return recipe_of(inert.read(Path(self.config)), self.config)
        if text is None:
            raise BenchError(
                f"model '{self.name}': {path} does not hold its configuration; name the JSON file "
                "that it was trained with as the parameter config"
            )
        return recipe_of(text, f"{path}: its configuration")


@dataclass(frozen=True, eq=False)
class _KarrasDenoiser:
    """D(y; s) = c_skip y + c_out F(c_in y; ln(s) / 4), for any sigma_data."""

    network: nn.Module
    sigma_data: float
    classes: int

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is not None:
            labels = labels % (self.classes + 1)  # no class, -1, is the table's last
        c_skip, c_out, c_in, c_noise = karras_coefficients(levels_of(s), self.sigma_data)
        raw = self.network(scale_rows(y, c_in), c_noise, labels)
        return scale_rows(y, c_skip) + scale_rows(raw, c_out)


def _text(config: object, path: Path) -> str:
    try:
        return json.dumps(config)
    except (TypeError, ValueError, RecursionError):
        raise inert.forbidden_error(
            path, "its configuration is more than numbers and names"
        ) from None
