"""UNet2DModel folders of diffusers as normalised denoisers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.api import BenchError, FilePath, HubFolder, ScoreModel, require
from bench_checkpoints.classes import Choice, Label, OptionalClassDenoiser
from bench_checkpoints.common import file_hash, levels_of, pixel_target, scaled
from bench_checkpoints.levels import LevelTable
from bench_checkpoints.precision import NetworkModel
from bench_checkpoints.reading.refusal import content, damaged
from bench_checkpoints.reading.safe_files import entries

_WEIGHTS = "diffusion_pytorch_model.safetensors"


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
        last_is_none: whether the last of the network's classes stands for none, as guidance needs
            it.
        guidance: weight w of classifier-free guidance, D_none + w (D_class - D_none), at the price
            of two evaluations; 1: none.
        data: name of the data set.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "diffusers_unet"
    reference: ClassVar[str] = "diffusers' UNet2DModel; Ho et al. 2020, arXiv:2006.11239"

    path: FilePath = "model"
    label: Label = None
    last_is_none: bool = False
    guidance: float = 1.0
    data: str = "unknown"
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        require(bool(self.path), "path must name a folder")
        Choice(self.label, self.guidance).check()
        require(bool(self.data), "data must be a name")

    def assets(self) -> Sequence[HubFolder]:
        hub = HubFolder.parse(self.path)
        return () if hub is None else (hub,)

    @classmethod
    def describe(cls, path: str) -> Mapping[str, object] | None:
        folder = cls(path=path)
        place = folder._file("unet", "config.json")
        config = _json(place) if place.is_file() else {}
        if config.get("_class_name") != "UNet2DModel":
            return None
        scheduler = _json(folder._file("scheduler", "scheduler_config.json"))
        return {
            "network": "diffusers' UNet2DModel",
            "parameters": entries(folder._file("unet", _WEIGHTS)),
            "shape": list(_shape(config, place)),
            "scheduler": scheduler.get("_class_name"),
            "prediction": scheduler.get("prediction_type", "epsilon"),
        }

    def contents(self) -> Mapping[str, str]:
        files = (self._file("unet", "config.json"), self._file("unet", _WEIGHTS))
        scheduler = self._file("scheduler", "scheduler_config.json")
        return {"path": "+".join(file_hash(self.name, str(file)) for file in (*files, scheduler))}

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        place = self._file("unet", "config.json")
        config = _json(place)
        network = _network(place.parent, self._file("unet", _WEIGHTS))
        labels = _labels(network)
        scheduler = self._file("scheduler", "scheduler_config.json")
        running = self.running(_Sample(network), device, dtype)
        denoiser, s_min, s_max = _denoiser(running, _json(scheduler), labels, scheduler, device)
        return ScoreModel(
            denoiser=Choice(self.label, self.guidance).of(
                denoiser,
                labels - self.last_is_none,
                self.last_is_none,
                f"model '{self.name}': {self.path}",
            ),
            shape=_shape(config, place),
            s_min=s_min,
            s_max=s_max,
            weights=file_hash(self.name, str(self._file("unet", _WEIGHTS))),
            target=pixel_target(self.data, self.held_out),
        )

    def _file(self, folder: str, name: str) -> Path:
        """The file of a network or of a whole pipeline."""
        hub = HubFolder.parse(self.path)
        root = Path(self.path) if hub is None else hub.located()
        nested = root / folder / name
        # Not Path.exists, which fails on names that no file can have.
        return nested if os.path.exists(nested) else root / name


def _labels(network: nn.Module) -> int:
    """The number of labels that the network knows; 0: it is not conditional."""
    if getattr(network, "class_embedding", None) is None:
        return 0
    count = getattr(network.config, "num_class_embeds", None)
    if not isinstance(count, int) or count < 1:
        raise BenchError("model 'diffusers_unet': its config.json has no num_class_embeds")
    return count


def _network(folder: Path, weights: Path) -> nn.Module:
    if not weights.is_file():
        raise BenchError(
            f"{weights}: is missing; fetch it and put it there (files of pickles, .bin, are not "
            "read: convert them with diffusers' save_pretrained)"
        )
    try:
        from diffusers import UNet2DModel
    except ImportError as error:
        raise BenchError(
            f"model 'diffusers_unet': diffusers cannot be imported ({error}); "
            "pip install scorebench[diffusers]"
        ) from None
    try:
        loaded: tuple[Any, dict[str, Any]] = UNet2DModel.from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
    except Exception as error:  # diffusers raises whatever its libraries do
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise damaged(folder, f"diffusers cannot load it ({lines[0][:200]})") from None
    network, info = loaded
    # diffusers warns only, and leaves what it lacks at random values.
    wrong = [name for kind in ("missing_keys", "unexpected_keys") for name in info.get(kind, [])]
    if wrong:
        raise damaged(folder, f"its weights do not fit its config.json, '{wrong[0]}' first")
    result: nn.Module = network
    return result


class _Sample(nn.Module):
    """The network's answer, out of the record in which diffusers wraps it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, time: Tensor, labels: Tensor | None) -> Tensor:
        """(n, c, h, w) and labels of time (n,) and class (n,) -> (n, outputs, h, w)."""
        answer: Tensor = self.network(x, time, class_labels=labels).sample
        return answer


def _denoiser(
    network: nn.Module,
    config: dict[str, Any],
    labels: int,
    place: Path,
    device: torch.device,
) -> tuple[OptionalClassDenoiser, float, float]:
    """D(y; s) and its range, as the scheduler's record says."""
    scheduler = config.get("_class_name")
    if scheduler == "ScoreSdeVeScheduler":
        low, high = (_positive(config, name, place) for name in ("sigma_min", "sigma_max"))
        # Images in [0, 1]: noise counts double in [-1, 1].
        return _VeDenoiser(network, labels), 2 * low, 2 * high
    if not config.get("beta_schedule") and not config.get("trained_betas"):
        # Else diffusers' default betas would stand in for noise levels of another kind.
        raise BenchError(
            f"{place}: {scheduler} has no betas, and is not known here; networks trained on a "
            "table of betas and those of ScoreSdeVeScheduler are"
        )
    table = LevelTable.of_betas(_betas(config, place))
    kind = config.get("prediction_type", "epsilon")
    if kind not in ("epsilon", "sample", "v_prediction"):
        raise BenchError(
            f"{place}: prediction_type '{kind}' is not known; it must be epsilon, sample or "
            "v_prediction"
        )
    return _VpDenoiser(network, table.to(device), kind, labels), *table.s_range


def _betas(config: dict[str, Any], place: Path) -> Tensor:
    """The trained betas, by diffusers' own DDPM scheduler."""
    from diffusers import DDPMScheduler

    known = (
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "trained_betas",
        "rescale_betas_zero_snr",
    )
    try:
        scheduler: Any = DDPMScheduler(**{name: config[name] for name in known if name in config})
        betas: Tensor = scheduler.betas.double()
    except Exception as error:
        raise damaged(place, f"its betas make no sense ({error})") from None
    # A last level without any signal cannot be asked for: its s is infinite.
    betas = betas[betas < 1]
    if len(betas) < 2 or not bool((betas > 0).all()):
        raise damaged(place, "its betas are not between 0 and 1")
    return betas


@dataclass(frozen=True, eq=False)
class _VpDenoiser:
    """D of a network that sees alpha y and a time label."""

    network: nn.Module
    table: LevelTable
    kind: str
    labels: int

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        level = levels_of(s)
        alpha = (level.square() + 1).rsqrt()
        time = self.table.label(level)
        raw = _called(self.network, scaled(y, alpha), time, self.labels, labels)
        if self.kind == "sample":
            return raw
        if self.kind == "epsilon":
            return y - scaled(raw, level)
        # v = alpha eps - sigma x_0 (Salimans & Ho 2022, arXiv:2202.00512).
        return scaled(y, alpha.square()) - scaled(raw, level * alpha)


@dataclass(frozen=True, eq=False)
class _VeDenoiser:
    """D of a network that gives the score, and sees images in [0, 1] and sigma."""

    network: nn.Module
    labels: int

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        level = levels_of(s)
        score = _called(self.network, (y + 1) / 2, level / 2, self.labels, labels)
        # In [-1, 1] the score is half of that in [0, 1]: D = y + s^2 score / 2.
        return y + scaled(score, level.square() / 2)


def _called(
    network: nn.Module, x: Tensor, time: Tensor, known: int, labels: Tensor | None
) -> Tensor:
    n = x.shape[0]
    if labels is not None:
        labels = labels % known  # no class, -1, is the last label
    output: Tensor = network(x, time.to(x.dtype).expand(n), labels)
    return output[:, : x.shape[1]]  # without the learned variances


def _shape(config: dict[str, Any], place: Path) -> tuple[int, ...]:
    size, channels = config.get("sample_size"), config.get("in_channels", 3)
    sides = size if isinstance(size, list) else [size, size]
    if len(sides) != 2 or not all(type(n) is int and n > 0 for n in (*sides, channels)):
        raise damaged(place, "it has no sample_size, or no in_channels")
    return (channels, *sides)


def _positive(config: dict[str, Any], name: str, place: Path) -> float:
    value = config.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise damaged(place, f"its {name} is no positive number")
    return float(value)


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(content(path))
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"it is no JSON ({error})") from None
    if not isinstance(record, dict):
        raise damaged(path, "it is no JSON object")
    return record
