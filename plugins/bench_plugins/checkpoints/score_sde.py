"""The checkpoints of score_sde_pytorch as normalised denoisers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from bench.api import Asset, BenchError, Denoiser, FilePath, ScoreModel, from_eps, inert, require
from bench_plugins.checkpoints.catalogue import asset_of, local, preset_of
from bench_plugins.checkpoints.common import (
    built,
    file_hash,
    levels_of,
    pixel_target,
    record_of,
    scaled,
)
from bench_plugins.checkpoints.convert import write_safetensors
from bench_plugins.checkpoints.describing import score_sde_content
from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp, NCSNppConfig, trained_levels
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.reading.safe_files import read_safetensors
from bench_plugins.checkpoints.reading.torch_files import read_torch
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
        file, preset = local(path), preset_of(path)
        if file.suffix == ".safetensors":
            told = read_safetensors(file)[1].get("score_sde")
            if told is None:
                return None
            recipe = record_of(ScoreSdeRecipe, json.dumps(told), path)
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
        """Of nothing else. A recipe that cannot be is refused, so that a plan tells."""
        if self.recipe:
            self._recipe(Path(self.path))
        return ""

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = local(self.path)
        recipe, weights = self.read()
        network = built(partial(NCSNpp, recipe.network), weights, path)
        config = recipe.network
        s_min, s_max = s_range(recipe, self.t_min)
        return ScoreModel(
            denoiser=denoiser_of(self.running(network, device, dtype), recipe, device),
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
        path = local(self.path)
        recipe, state = self._read(path)
        return recipe, network_state(recipe.network, state, self.weights, path)

    def _read(self, path: Path) -> tuple[ScoreSdeRecipe, dict[str, Any]]:
        """The recipe, and the content of the file as score_sde's own dictionary."""
        if path.suffix == ".safetensors":
            state, record = read_safetensors(path)
            told = record.get("score_sde")
            if told is not None and not (self.preset or self.recipe):
                return record_of(ScoreSdeRecipe, json.dumps(told), str(path)), {"model": state}
            return self._recipe(path), {"model": state}
        loaded = read_torch(path)
        if not isinstance(loaded, dict) or not isinstance(loaded.get("model"), dict):
            raise inert.forbidden(path, "it is no checkpoint of score_sde (no entry 'model')")
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
    """The state dict for the network of a score_sde checkpoint (or of `{"model": state}` alone).

    The moving averages are a list in the order of the parameters that were trained; the Fourier
    frequencies were not, and are those of the model.

    Raises:
        BenchError: the averages are missing, or are not those of this network.
    """
    # The authors' DataParallel puts "module." before each name.
    state = {str(name).removeprefix("module."): item for name, item in loaded["model"].items()}
    if not all(isinstance(item, Tensor) for item in state.values()):
        raise inert.forbidden(path, "its entry 'model' holds more than tensors")
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
        raise inert.forbidden(path, "its moving averages are no tensors")
    return {**state, **dict(zip(names, shadows, strict=True))}


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
    low, high = (_integral(recipe, t) for t in (t_min, 1.0))
    if recipe.sde == "subvp":
        return 2 * math.sinh(low / 2), 2 * math.sinh(high / 2)
    return math.sqrt(math.expm1(low)), math.sqrt(math.expm1(high))


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
        return scaled(self.network(x, condition, sigma), -sigma)


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
            low, slope = self.recipe.beta_min, self.recipe.beta_max - self.recipe.beta_min
            # Positive root of slope/2 t^2 + low t = b, in the form without cancellation.
            label = 999 * 2 * b / (low + (low * low + 2 * slope * b).sqrt())
        result: Tensor = self.network(scaled(y, alpha), label)
        return result


def _integral(recipe: ScoreSdeRecipe, t: float) -> float:
    return t * (recipe.beta_min + 0.5 * t * (recipe.beta_max - recipe.beta_min))


def _table(recipe: ScoreSdeRecipe) -> LevelTable:
    """The betas of DDPM that are the SDE's, beta(t) / N at N levels; the label is t (N - 1)."""
    levels = recipe.network.num_scales
    ends = recipe.beta_min / levels, recipe.beta_max / levels
    return LevelTable.of_betas(torch.linspace(*ends, levels, dtype=torch.float64))
