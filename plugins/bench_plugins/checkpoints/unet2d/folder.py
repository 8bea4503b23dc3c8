"""Files of a pipeline, or of a network without one, and others beside them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.api import BenchError, inert
from bench_plugins.checkpoints.reading.safe_files import names

PIPELINES = ("DDPMPipeline", "DDIMPipeline", "PNDMPipeline", "ScoreSdeVePipeline")
"""Pipelines that run a UNet2DModel on pixels."""

_STEM = "diffusion_pytorch_model"


# os.path.isfile throughout: Path.is_file fails on names that no file can have.


@dataclass(frozen=True)
class Folder:
    """A folder of a pipeline, or of a network and a scheduler's record.

    Attributes:
        root: the folder.
        variant: of the weights' file names, such as `fp16`; empty: none.
    """

    root: Path
    variant: str = ""

    @property
    def index(self) -> Path:
        """List of the pipeline's parts; may be missing."""
        return self.root / "model_index.json"

    @property
    def config(self) -> Path:
        """The network's configuration."""
        return self._part("unet", "config.json") / "config.json"

    @property
    def scheduler(self) -> Path:
        """The scheduler's record."""
        return self._part("scheduler", "scheduler_config.json") / "scheduler_config.json"

    def is_model(self) -> bool:
        """True for a folder of a UNet2DModel, or of some pipeline."""
        if os.path.isfile(self.index):
            return True
        return (
            os.path.isfile(self.config)
            and read_json(self.config).get("_class_name") == "UNet2DModel"
        )

    def check(self) -> None:
        """Refuses parts without which the network does not give pixels.

        Raises:
            BenchError: names the first.
        """
        if os.path.isfile(self.index):
            self._check_index(read_json(self.index))
        for folder in self._folders():
            if folder.name not in ("unet", "scheduler") and any(folder.glob("*config.json")):
                raise self._further(folder.name, f"in the folder {folder.name}/")

    def weights(self) -> tuple[Path, ...]:
        """The files of the weights: one, or the index and all shards that it names, whole.

        Raises:
            BenchError: one is missing or damaged, or it is not clear which are meant.
        """
        folder, suffix = self.config.parent, f".{self.variant}" if self.variant else ""
        single = folder / f"{_STEM}{suffix}.safetensors"
        index = folder / f"{_STEM}.safetensors.index{suffix}.json"
        if os.path.isfile(single) and os.path.isfile(index):
            raise BenchError(
                f"{single}: lies beside {index.name}; remove the one that is not meant"
            )
        if os.path.isfile(index):
            return (index, *_shards(index))
        if not os.path.isfile(single):
            raise BenchError(self._missing(single))
        return (single,)

    def variants(self) -> tuple[str, ...]:
        """The variants whose weights are there; empty: the plain one."""
        names = sorted(path.name for path in self.config.parent.glob(f"{_STEM}*"))
        found = [
            match["one"] or match["many"] or "" for match in map(_WEIGHTS.fullmatch, names) if match
        ]
        return tuple(dict.fromkeys(found))

    def _part(self, name: str, record: str) -> Path:
        """The folder of a part, or the root where only that has its record."""
        nested = self.root / name
        in_root = os.path.isfile(self.root / record) and not os.path.isfile(nested / record)
        return nested if os.path.isdir(nested) and not in_root else self.root

    def _folders(self) -> list[Path]:
        try:
            return sorted(path for path in self.root.iterdir() if path.is_dir())
        except (OSError, ValueError):
            return []  # its files will be missed

    def _check_index(self, record: Mapping[str, Any]) -> None:
        for name, value in record.items():
            if name.startswith("_") or name in ("unet", "scheduler"):
                continue
            empty = value is None or value is False or value == [None, None]
            if not empty:
                raise self._further(name, "in model_index.json")
        kind = record.get("_class_name")
        if kind not in PIPELINES:
            raise BenchError(
                f"{self.index}: _class_name: '{str(kind)[:80]}' is not known to run a UNet2DModel "
                f"on pixels ({', '.join(PIPELINES)} are); if it does, remove model_index.json"
            )
        self._check_part(record, "unet", "UNet2DModel")
        self._check_part(record, "scheduler", read_json(self.scheduler).get("_class_name"))

    def _check_part(self, record: Mapping[str, Any], part: str, wanted: object) -> None:
        given = record.get(part)
        if not isinstance(given, list) or given != ["diffusers", wanted]:
            raise BenchError(
                f"{self.index}: {part}: is {str(given)[:80]}, and must be "
                f"['diffusers', '{wanted}'], which the folder holds; correct the one or the other"
            )

    def _further(self, name: str, where: str) -> BenchError:
        return BenchError(
            f"{self.root}: has the part '{name[:80]}' {where}, besides unet and scheduler: without "
            "it the network may give latents or lack a condition, and is no model of pixels; only "
            "pipelines of a unet and a scheduler are read (if these two suffice, copy them alone)"
        )

    def _missing(self, single: Path) -> str:
        named = [f"variant: {name}" if name else "no variant" for name in self.variants()]
        if named:
            return f"{single}: is missing; there are weights of {', '.join(named)}: set that"
        return (
            f"{single}: is missing; fetch it and put it there (files of pickles, .bin, are not "
            "read: convert them with diffusers' save_pretrained)"
        )


_WEIGHTS = re.compile(
    rf"{_STEM}(\.(?P<one>[\w-]+))?\.safetensors"
    rf"|{_STEM}\.safetensors\.index(\.(?P<many>[\w-]+))?\.json"
)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file.

    Raises:
        BenchError: there is none.
    """
    try:
        record = json.loads(inert.read(path))
    except (ValueError, RecursionError) as error:
        raise inert.damaged_error(path, f"it is no JSON ({error})") from None
    if not isinstance(record, dict):
        raise inert.damaged_error(path, "it is no JSON object")
    return record


def _shards(index: Path) -> list[Path]:
    given = read_json(index).get("weight_map")
    if not isinstance(given, dict) or not given:
        raise inert.damaged_error(index, "it has no weight_map")
    wanted: dict[str, set[str]] = {}
    for tensor, file in given.items():
        if not isinstance(file, str) or not file or Path(file).name != file:
            raise inert.damaged_error(
                index, f"the file of '{tensor[:80]}' is no name of a file beside it"
            )
        wanted.setdefault(file, set()).add(tensor)
    return [_shard(index, file, wanted[file]) for file in sorted(wanted)]


def _shard(index: Path, file: str, wanted: set[str]) -> Path:
    path = index.parent / file
    if not os.path.isfile(path):
        raise BenchError(
            f"{path}: is missing, and {index.name} names it; fetch it and put it there"
        )
    differing = sorted(wanted ^ names(path))
    if differing:
        raise inert.damaged_error(
            path, f"it and {index.name} do not agree on '{differing[0][:80]}'"
        )
    return path
