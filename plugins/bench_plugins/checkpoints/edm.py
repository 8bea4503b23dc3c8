"""EDM's checkpoints as normalised denoisers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import Asset, BenchError, FilePath, ScoreModel, inert, require
from bench_plugins.checkpoints.author_keys import EDM_FILE_KEYS, EDM_NETWORK_KEYS, EDM_PRECOND_KEYS
from bench_plugins.checkpoints.catalogue import asset_of, local
from bench_plugins.checkpoints.classes import Choice, Label
from bench_plugins.checkpoints.common import built, file_hash, pixel_target, record_of
from bench_plugins.checkpoints.convert import write_safetensors
from bench_plugins.checkpoints.describing import edm_content
from bench_plugins.checkpoints.edm_precond import EdmDenoiser, EdmRecipe, iddpm_levels
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.reading.modules import state_dict
from bench_plugins.checkpoints.reading.pickles import read_pickle
from bench_plugins.checkpoints.reading.safe_files import read_safetensors

_PRECONDS = {"EDMPrecond": "edm", "VPPrecond": "vp", "VEPrecond": "ve", "iDDPMPrecond": "iddpm"}
_FAMILIES = {"SongUNet": "song", "DhariwalUNet": "dhariwal"}


@dataclass(frozen=True)
class Edm(NetworkModel):
    """The pretrained networks of EDM (CIFAR-10, FFHQ, AFHQv2, ImageNet-64).

    Attributes:
        path: the .pkl file, of which nothing is executed, or a .safetensors made of it; or
            `published:NAME`, such as published:edm-cifar10-32x32-uncond-vp (`bench models list`).
        label: of a conditional network, the class of all samples, from 0, or -1 for none;
            ``None``: each sample's own is drawn, all alike probable; ``balanced``: the same
            number of samples of each (to one).
        guidance: weight w of classifier-free guidance, D_none + w (D_class - D_none), at the price
            of two evaluations; 1: none. Its network must have been trained without classes too.
        data: name of the data set; empty: what the file says.
        s_min, s_max: the range of noise levels; ``None``: what EDM's sampler takes, 0.002 to 80
            as far as the network goes.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "edm"
    reference: ClassVar[str] = (
        "Karras et al. 2022, arXiv:2206.00364, Table 1; github.com/NVlabs/edm"
    )

    path: FilePath = "network.pkl"
    label: Label = None
    guidance: float = 1.0
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
        file = local(path)
        known = file.suffix == ".pkl"
        if file.suffix == ".safetensors":
            known = "edm" in read_safetensors(file)[1]
        return edm_content(read_edm(file)[0]) if known else None

    def export(self, target: Path) -> None:
        recipe, weights = read_edm(local(self.path))
        record = {"edm": asdict(recipe), "source_sha256": file_hash(self.name, self.path)}
        write_safetensors(target, record, weights)

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = local(self.path)
        recipe, state = read_edm(path)
        network = built(partial(EdmUnet, recipe.network), state, path)
        levels = iddpm_levels(recipe).to(device) if recipe.precond == "iddpm" else None
        s_min, s_max = self._range(recipe)
        config = recipe.network
        running = self.running(network, device, dtype)
        denoiser = EdmDenoiser(running, recipe, _told(config.label_dim, device), levels)
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
        return Choice(self.label, self.guidance)


def _told(classes: int, device: torch.device) -> Tensor | None:
    """What the network is told of each class, and last (at -1) of none."""
    return torch.eye(classes + 1, classes, device=device) if classes else None


def read_edm(path: Path) -> tuple[EdmRecipe, dict[str, Tensor]]:
    """What a file of EDM holds: the recipe and the weights of the moving average.

    Raises:
        BenchError: the file is missing, damaged, hostile, or holds something else.
    """
    if path.suffix == ".safetensors":
        state, record = read_safetensors(path)
        if "edm" not in record:
            raise BenchError(
                f"{path}: does not say what network it is (no record 'edm' in its header); "
                "convert the authors' .pkl (docs/checkpoints.md)"
            )
        return record_of(EdmRecipe, json.dumps(record["edm"]), str(path)), state
    loaded = read_pickle(path)
    try:
        return _from_pickle(loaded, path)
    except inert.Refused as refusal:
        raise inert.forbidden(path, str(refusal)) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise inert.forbidden(path, f"its network has impossible sizes ({error})") from None


def _from_pickle(loaded: object, path: Path) -> tuple[EdmRecipe, dict[str, Tensor]]:
    outer = loaded.get("ema") if isinstance(loaded, dict) else None
    if (
        not isinstance(loaded, dict)
        or not isinstance(outer, inert.Object)
        or outer.kind not in _PRECONDS
    ):
        raise inert.Refused("it is no checkpoint of EDM (no network under 'ema')")
    settings = outer.fields()
    EDM_FILE_KEYS.check(loaded, str(path))
    told_of = {name: item for name, item in settings.items() if not name.startswith("_")}
    EDM_PRECOND_KEYS.check(told_of, f"{path}: {outer.kind}")
    modules = settings.get("_modules")
    inner = modules.get("model") if isinstance(modules, dict) else None
    if not isinstance(inner, inert.Object) or inner.kind not in _FAMILIES:
        raise inert.Refused("its network is neither a SongUNet nor a DhariwalUNet")
    asked, places = (inner.fields().get(f"_init_{kind}") for kind in ("kwargs", "args"))
    if not isinstance(asked, dict) or places:
        raise inert.Refused("its network does not say by name how it was made")
    EDM_NETWORK_KEYS.check(asked, f"{path}: {inner.kind}")
    network = _network(_FAMILIES[inner.kind], asked, path)
    own = {
        "img_resolution": network.img_resolution,
        "img_channels": network.in_channels,
        "label_dim": network.label_dim,
    }
    for name, size in own.items():
        if settings.get(name, size) != size:
            raise inert.Refused(f"its {name} is not its network's, {size}")
    names = {"sigma_data", "sigma_min", "sigma_max", "beta_d", "beta_min", "M", "C_1", "C_2"}
    told = {name: _number(settings[name]) for name in names & set(settings)}
    # EDM's own takes every level: bounds that one can compute with.
    told["sigma_min"] = max(told.get("sigma_min", 0.0), 1e-6)
    told["sigma_max"] = min(told.get("sigma_max", math.inf), 1e6)
    told["M"] = int(told.get("M", 1000))
    kind: Any = _PRECONDS[outer.kind]
    recipe = EdmRecipe(kind, network, **told)
    data = _data(loaded)
    return (replace(recipe, data=data) if data else recipe), state_dict(inner)


def _network(family: str, asked: Mapping[str, Any], path: Path) -> EdmUnetConfig:
    """The sizes that the authors' constructor was given; theirs are the defaults here."""
    defaults: dict[str, Any] = {"channel_mult": (1, 2, 2, 2), "num_blocks": 4}
    if family == "dhariwal":
        defaults = {
            "model_channels": 192,
            "channel_mult": (1, 2, 3, 4),
            "num_blocks": 3,
            "attn_resolutions": (32, 16, 8),
        }
    known = {field.name for field in fields(EdmUnetConfig)} - {"family", "dropout"}
    given = {name: _plain(value) for name, value in asked.items() if name in known}
    record = {"family": family, **defaults, **given}
    return record_of(EdmUnetConfig, json.dumps(record), f"{path}: its network")


def _plain(value: object) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, str):
        return value
    if type(value) is int and 0 <= value <= 2**16:
        return value
    raise inert.Refused("its network's sizes are no numbers and names")


def _number(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise inert.Refused("its preconditioning's parameters are no numbers")
    return float(value)


def _data(loaded: object) -> str:
    """The data set's name, of its path in the file ("./datasets/cifar10-32x32.zip")."""
    settings = loaded.get("dataset_kwargs") if isinstance(loaded, dict) else None
    path = settings.get("path") if isinstance(settings, dict) else None
    return Path(path).stem if isinstance(path, str) and "\0" not in path else ""
