"""UNet2DModel folders of diffusers as normalised denoisers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from bench.api import BenchError, FilePath, HubFolder, ScoreModel, paper, require
from bench_plugins.checkpoints.classes import Choice, Label
from bench_plugins.checkpoints.common import file_hash, pixel_target
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.reading.safe_files import entries
from bench_plugins.checkpoints.unet2d.denoisers import denoiser_of
from bench_plugins.checkpoints.unet2d.folder import Folder, read_json
from bench_plugins.checkpoints.unet2d.loading import load_network
from bench_plugins.checkpoints.unet2d.network import Network, network_of
from bench_plugins.checkpoints.unet2d.scheduler import Noise, noise_of


@dataclass(frozen=True)
class DiffusersUnet(NetworkModel):
    """A UNet2DModel that diffusers saved, such as google/ddpm-cifar10-32.

    Between the trained noise levels the time label is interpolated in ln(s).

    Attributes:
        path: the folder, with config.json and diffusion_pytorch_model.safetensors (in it or in
            `unet`) and scheduler_config.json (in it or in `scheduler`); or one of the hub,
            `hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION`.
        label: of a conditional network, the class of all samples, from 0, or -1 for none;
            ``None``: each sample's own is drawn, all alike probable; ``balanced``: the same
            number of samples of each (to one).
        last_is_none: whether the last of the network's classes stands for none, as
            classifier-free guidance needs it.
        variant: of the weights' file names, such as fp16; empty: those without any.
        data: name of the data set.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "diffusers_unet"
    reference: ClassVar[str] = "diffusers' UNet2DModel; Ho et al. 2020, arXiv:2006.11239"
    bibtex: ClassVar[str] = paper("ho2020denoising")

    path: FilePath = "model"
    label: Label = None
    last_is_none: bool = False
    variant: str = ""
    data: str = "unknown"
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        require(bool(self.path), "path must name a folder")
        Choice(self.label).check()
        require(bool(re.fullmatch(r"[\w-]*", self.variant, re.ASCII)), "variant must be a word")
        require(bool(self.data), "data must be a name")

    def assets(self) -> Sequence[HubFolder]:
        hub = HubFolder.parse(self.path)
        return () if hub is None else (hub,)

    @classmethod
    def describe(cls, path: str) -> Mapping[str, object] | None:
        folder = cls(path=path)._folder()
        if not folder.is_model():
            return None
        folder, further = _readable(folder)
        network, noise = _meaning(folder)
        return {
            "network": "diffusers' UNet2DModel",
            "parameters": sum(entries(f) for f in folder.weights() if f.suffix != ".json"),
            "shape": list(network.shape),
            "classes": network.classes,
            "scheduler": noise.scheduler,
            "prediction": noise.prediction,
            "s": list(noise.s_range),
            "weights": [file.name for file in folder.weights()],
            **further,
            "left out": list(noise.left_out),
        }

    def contents(self) -> Mapping[str, str]:
        """Hashes of the files that are read. A network that cannot work is refused at planning."""
        folder = self._folder()
        hashes = [file_hash(self.name, str(folder.config))]
        hashes += [file_hash(self.name, str(file)) for file in folder.weights()]
        hashes.append(file_hash(self.name, str(folder.scheduler)))
        if folder.index.is_file():
            hashes.append(file_hash(self.name, str(folder.index)))
        _meaning(folder)
        return {"path": "+".join(hashes)}

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        folder = self._folder()
        meaning, noise = _meaning(folder)
        if self.last_is_none and not meaning.classes:
            raise BenchError(
                f"model '{self.name}': {self.path} knows no classes; drop last_is_none"
            )
        network = load_network(folder, meaning)
        running = self.prepare(network, device, dtype)
        return ScoreModel(
            denoiser=Choice(self.label).of(
                denoiser_of(running, noise, meaning.classes, device),
                meaning.classes - self.last_is_none,
                self.last_is_none,
                f"model '{self.name}': {self.path}",
            ),
            shape=meaning.shape,
            s_min=noise.s_range[0],
            s_max=noise.s_range[1],
            weights=self._weights_hash(folder),
            target=pixel_target(self.data, self.held_out),
        )

    def _folder(self) -> Folder:
        hub = HubFolder.parse(self.path)
        return Folder(Path(self.path) if hub is None else hub.locate(), self.variant)

    def _weights_hash(self, folder: Folder) -> str:
        """The file's, or of several one over all of them."""
        hashes = [file_hash(self.name, str(file)) for file in folder.weights()]
        return (
            hashes[0] if len(hashes) == 1 else hashlib.sha256("+".join(hashes).encode()).hexdigest()
        )


def _readable(folder: Folder) -> tuple[Folder, dict[str, object]]:
    """The folder with the variant of its weights: the plain one, or the only one that is there."""
    variants = folder.variants()
    chosen = "" if "" in variants or len(variants) != 1 else variants[0]
    further = [variant for variant in variants if variant]
    return Folder(folder.root, chosen), {"variants": further} if further else {}


def _meaning(folder: Folder) -> tuple[Network, Noise]:
    """Network and noise that the folder's records describe.

    Raises:
        BenchError: names file, key and remedy where they cannot be honoured.
    """
    folder.check()
    noise = noise_of(read_json(folder.scheduler), str(folder.scheduler))
    return network_of(read_json(folder.config), noise, str(folder.config)), noise
