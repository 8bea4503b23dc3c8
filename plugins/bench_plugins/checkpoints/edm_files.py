"""EDM's files: the recipe and the weights in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from bench.api import BenchError, inert
from bench_plugins.checkpoints.author_keys import EDM_FILE_KEYS, EDM_NETWORK_KEYS, EDM_PRECOND_KEYS
from bench_plugins.checkpoints.common import record_of
from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.networks.edm_unet import EdmUnetConfig
from bench_plugins.checkpoints.reading.modules import state_dict
from bench_plugins.checkpoints.reading.pickles import read_pickle
from bench_plugins.checkpoints.reading.safe_files import read_safetensors

_PRECONDS = {"EDMPrecond": "edm", "VPPrecond": "vp", "VEPrecond": "ve", "iDDPMPrecond": "iddpm"}


_FAMILIES = {"SongUNet": "song", "DhariwalUNet": "dhariwal"}


def read_edm(path: Path) -> tuple[EdmRecipe, dict[str, Tensor]]:
    """Read the recipe and the weights of the moving average from a file of EDM.

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
        raise inert.forbidden_error(path, str(refusal)) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise inert.forbidden_error(path, f"its network has impossible sizes ({error})") from None


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
    arguments, places = (inner.fields().get(f"_init_{kind}") for kind in ("kwargs", "args"))
    if not isinstance(arguments, dict) or places:
        raise inert.Refused("its network does not say by name how it was made")
    EDM_NETWORK_KEYS.check(arguments, f"{path}: {inner.kind}")
    network = _network(_FAMILIES[inner.kind], arguments, path)
    own = {
        "img_resolution": network.img_resolution,
        "img_channels": network.in_channels,
        "label_dim": network.label_dim,
    }
    for name, size in own.items():
        if settings.get(name, size) != size:
            raise inert.Refused(f"its {name} is not its network's, {size}")
    names = {"sigma_data", "sigma_min", "sigma_max", "beta_d", "beta_min", "M", "C_1", "C_2"}
    parameters = {name: _number(settings[name]) for name in names & set(settings)}
    # EDM's own takes every level: bounds that one can compute with.
    parameters["sigma_min"] = max(parameters.get("sigma_min", 0.0), 1e-6)
    parameters["sigma_max"] = min(parameters.get("sigma_max", math.inf), 1e6)
    parameters["M"] = int(parameters.get("M", 1000))
    kind: Any = _PRECONDS[outer.kind]
    recipe = EdmRecipe(kind, network, **parameters)
    data = _data(loaded)
    return (replace(recipe, data=data) if data else recipe), state_dict(inner)


def _network(family: str, arguments: Mapping[str, Any], path: Path) -> EdmUnetConfig:
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
    given = {name: _plain(value) for name, value in arguments.items() if name in known}
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
