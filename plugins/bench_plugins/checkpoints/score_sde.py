"""The checkpoints of score_sde_pytorch as normalised denoisers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from bench.api import Asset, BenchError, FilePath, ScoreModel, inert, paper, require
from bench_plugins.checkpoints.catalogue import asset_of, local_path, preset_of
from bench_plugins.checkpoints.common import (
    build_network,
    file_hash,
    pixel_target,
    record_of,
)
from bench_plugins.checkpoints.convert import write_safetensors
from bench_plugins.checkpoints.describe import score_sde_content
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp, NCSNppConfig, trained_levels
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.reading.safe_files import read_safetensors
from bench_plugins.checkpoints.reading.torch_files import read_torch
from bench_plugins.checkpoints.score_sde_denoiser import denoiser_of, s_range
from bench_plugins.checkpoints.score_sde_recipes import PRESETS, ScoreSdeRecipe


@dataclass(frozen=True)
class ScoreSde(NetworkModel):
    """NCSN++, DDPM++ and DDPM checkpoints of the authors of score-based SDEs.

    Images are in [-1, 1] here; VE networks were trained on [0, 1], so that their noise levels
    count double (CIFAR-10: 0.02 to 100).

    Attributes:
        path: the .pth file, or a .safetensors that was made of it; or `published:NAME`, such as
            published:score-sde-ve-cifar10-ncsnpp-continuous (`bench models list`).
        preset: the authors' name of its configuration, such as `ve/cifar10_ncsnpp_continuous`;
            empty where a recipe says it, or the .safetensors does, or the published name.
        recipe: a JSON file that describes a network of your own (docs/checkpoints.md).
        weights: `ema`, the moving average that the published figures are of, or `model`.
        t_min: the least time of vp and subvp; the authors sample down to 1e-3 and evaluate
            likelihoods from 1e-5.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "score_sde"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456; github.com/yang-song/score_sde"
    bibtex: ClassVar[str] = paper("song2021score")

    path: FilePath = "checkpoint.pth"
    preset: str = ""
    recipe: FilePath = ""
    weights: Literal["ema", "model"] = "ema"
    t_min: float = 1e-3
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        require(bool(self.path), "path must name a file")
        require(
            self.preset in ("", *PRESETS),
            f"preset must be one of {', '.join(PRESETS)}",
        )
        require(not (self.preset and self.recipe), "preset and recipe exclude each other")
        require(1e-5 <= self.t_min < 1, "t_min must be in [1e-5, 1)")

    def assets(self) -> Sequence[Asset]:
        return asset_of(self.path)

    @classmethod
    def describe(cls, path: str) -> Mapping[str, object] | None:
        file, preset = local_path(path), preset_of(path)
        if file.suffix == ".safetensors":
            found = read_safetensors(file)[1].get("score_sde")
            if found is None:
                return None
            recipe = record_of(ScoreSdeRecipe, json.dumps(found), path)
        elif file.suffix == ".pth":
            loaded = read_torch(file)
            if not isinstance(loaded, dict) or not {"model", "ema"} <= loaded.keys():
                return None
            if not preset:
                return {"network": "score_sde's; the file does not say which: set preset or recipe"}
            recipe = PRESETS[preset]
        else:
            return None
        return score_sde_content(recipe, s_range(recipe, cls.t_min))

    def export(self, target: Path) -> None:
        recipe, weights = self.read()
        record = {"score_sde": asdict(recipe), "source_sha256": file_hash(self.name, self.path)}
        write_safetensors(target, record, weights)

    def fingerprint(self) -> str:
        """Empty. An impossible recipe is refused, already at planning."""
        if self.recipe:
            self._recipe(Path(self.path))
        return ""

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = local_path(self.path)
        recipe, weights = self.read()
        network = build_network(partial(NCSNpp, recipe.network), weights, path)
        config = recipe.network
        s_min, s_max = s_range(recipe, self.t_min)
        return ScoreModel(
            denoiser=denoiser_of(self.prepare(network, device, dtype), recipe, device),
            shape=(config.channels, config.image_size, config.image_size),
            s_min=s_min,
            s_max=s_max,
            weights=file_hash(self.name, self.path),
            target=pixel_target(recipe.data, self.held_out),
        )

    def read(self) -> tuple[ScoreSdeRecipe, dict[str, Tensor]]:
        """The recipe, and the weights under the names of the network.

        Raises:
            BenchError: a file is missing, damaged, hostile, or of another network.
        """
        path = local_path(self.path)
        recipe, state = self._read(path)
        return recipe, network_state(recipe.network, state, self.weights, path)

    def _read(self, path: Path) -> tuple[ScoreSdeRecipe, dict[str, Any]]:
        """The recipe, and the content of the file as score_sde's own dictionary."""
        if path.suffix == ".safetensors":
            state, record = read_safetensors(path)
            found = record.get("score_sde")
            if found is not None and not (self.preset or self.recipe):
                return record_of(ScoreSdeRecipe, json.dumps(found), str(path)), {"model": state}
            return self._recipe(path), {"model": state}
        loaded = read_torch(path)
        if not isinstance(loaded, dict) or not isinstance(loaded.get("model"), dict):
            raise inert.forbidden_error(path, "it is no checkpoint of score_sde (no entry 'model')")
        return self._recipe(path), loaded

    def _recipe(self, path: Path) -> ScoreSdeRecipe:
        if self.recipe:
            place = Path(self.recipe)
            return record_of(ScoreSdeRecipe, inert.read(place), str(place))
        known = preset_of(self.path)
        if self.preset and known and self.preset != known:
            raise BenchError(
                f"model 'score_sde': {self.path} was trained with preset {known}, not "
                f"{self.preset}; leave preset out"
            )
        if not (self.preset or known):
            raise BenchError(
                f"model 'score_sde': {path} does not say how it was trained; give the parameter "
                f"preset (one of {', '.join(PRESETS)}) or recipe"
            )
        return PRESETS[self.preset or known]


def network_state(
    config: NCSNppConfig, loaded: Mapping[str, Any], weights: str, path: Path
) -> dict[str, Tensor]:
    """The state dict for the network of a score_sde checkpoint (or of `{"model": state}`).

    The moving averages are a list in the order of the parameters that were trained; the Fourier
    frequencies were not, and are those of the model.

    Raises:
        BenchError: the averages are missing, or are not those of this network.
    """
    # The authors' DataParallel puts "module." before each name.
    state = {str(name).removeprefix("module."): item for name, item in loaded["model"].items()}
    if not all(isinstance(item, Tensor) for item in state.values()):
        raise inert.forbidden_error(path, "its entry 'model' holds more than tensors")
    state.setdefault("sigmas", trained_levels(config))
    if weights == "model" or "ema" not in loaded:
        if weights == "ema" and path.suffix != ".safetensors":
            raise BenchError(f"{path}: has no moving average; set the parameter weights: model")
        return state
    average = loaded["ema"]
    shadows = average.get("shadow_params") if isinstance(average, dict) else None
    with torch.device("meta"):
        parameters = dict(NCSNpp(config).named_parameters())
    names = [name for name, p in parameters.items() if p.requires_grad]
    if not isinstance(shadows, list) or len(shadows) != len(names):
        found = len(shadows) if isinstance(shadows, list) else "no"
        raise BenchError(
            f"{path}: has {found} moving averages, the network has {len(names)} parameters; "
            "choose the preset or recipe that it was trained with"
        )
    if not all(isinstance(shadow, Tensor) for shadow in shadows):
        raise inert.forbidden_error(path, "its moving averages are no tensors")
    return {**state, **dict(zip(names, shadows, strict=True))}
