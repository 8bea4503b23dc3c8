"""Networks that can be trained: how they begin, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from torch import nn

from bench.core.errors import BenchError
from bench.core.process import NoiseProcess
from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.networks.edm_unet import EdmUnetConfig
from bench_plugins.checkpoints.networks.ncsnpp import NCSNppConfig
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe
from bench_plugins.checkpoints.training import TrainableEdm, TrainableScoreSde
from bench_plugins.models.networks.loading import build_network
from bench_plugins.models.networks.metadata import Metadata
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import Preconditioning
from bench_plugins.models.networks.storing import save_network
from bench_plugins.models.networks.unet import UNetConfig
from bench_plugins.score_sde.processes import VE, VP, SubVP
from bench_train.options import NetworkChoice
from bench_train.settings import Settings, Sizes


@dataclass(frozen=True)
class Subject:
    """What a network is trained on: data's name, shape and levels, their moments, the process."""

    data: str
    shape: tuple[int, ...]
    levels: int
    mean: float
    std: float
    process: NoiseProcess


@dataclass(frozen=True)
class Record:
    """What a file of weights says of its training.

    s_range: noise-to-signal ratios seen. data, levels, data_sha256, licence: of the data.
    images: samples seen. recipe: command and configuration.
    """

    s_range: tuple[float, float]
    data: str
    levels: int
    data_sha256: str
    images: int
    recipe: Mapping[str, Any]
    licence: str


class Trainable(Protocol):
    """A kind of network with its sizes."""

    def build(self) -> nn.Module:
        """D(y; s), freshly initialised from torch's global generator."""

    def save(self, path: Path, network: nn.Module, record: Record) -> None:
        """Writes what `build` made (and was trained) as a model of `bench run`."""


@dataclass(frozen=True)
class OwnNetwork:
    """The U-Net and the MLP of this package: files of the model `trained`."""

    sizes: UNetConfig | MLPConfig
    preconditioning: Preconditioning

    def build(self) -> nn.Module:
        return build_network(self.sizes, self.preconditioning)

    def save(self, path: Path, network: nn.Module, record: Record) -> None:
        metadata = Metadata(
            network=self.sizes,
            preconditioning=self.preconditioning,
            s_range=record.s_range,
            data=record.data,
            levels=record.levels,
            data_sha256=record.data_sha256,
            images=record.images,
            recipe=dict(record.recipe),
            licence=record.licence,
        )
        save_network(path, network, metadata)


@dataclass(frozen=True)
class ScoreSdeNetwork:
    """NCSN++ and DDPM++ as score_sde has them: files of the model `score_sde`."""

    recipe: ScoreSdeRecipe

    def build(self) -> nn.Module:
        return TrainableScoreSde(self.recipe)

    def save(self, path: Path, network: nn.Module, record: Record) -> None:
        assert isinstance(network, TrainableScoreSde)
        network.save(path, asdict(record))


@dataclass(frozen=True)
class EdmNetwork:
    """DDPM++ and NCSN++ as EDM has them: files of the model `edm`."""

    recipe: EdmRecipe

    def build(self) -> nn.Module:
        return TrainableEdm(self.recipe)

    def save(self, path: Path, network: nn.Module, record: Record) -> None:
        assert isinstance(network, TrainableEdm)
        network.save(path, asdict(record))


def trainable(settings: Settings, subject: Subject) -> Trainable:
    """The network that `settings` ask for, for samples of this shape.

    Raises:
        BenchError: network, sizes, process and data do not go together.
    """
    own = settings.network in (NetworkChoice.AUTO, NetworkChoice.UNET, NetworkChoice.MLP)
    if own and settings.sizes is not None:
        raise BenchError(
            f"network '{settings.network.value}': --width, --mults, --blocks and --dropout are "
            "for the networks ncsnpp, ddpmpp, edm-ncsnpp and edm-ddpmpp; leave them out"
        )
    if own:
        sizes = own_sizes(settings.network, subject.shape)
        return OwnNetwork(sizes, Preconditioning(subject.std, subject.mean))
    _require_square_bytes(settings.network, subject)
    wanted = settings.sizes or Sizes()
    try:
        if settings.network in (NetworkChoice.EDM_DDPMPP, NetworkChoice.EDM_NCSNPP):
            return EdmNetwork(_edm(settings.network, wanted, subject))
        return ScoreSdeNetwork(_score_sde(settings.network, wanted, subject))
    except ValueError as error:
        raise BenchError(
            f"network '{settings.network.value}' for samples of shape {subject.shape}: {error}; "
            "change --mults, --width or --process, take a preset whose name ends in -small (three "
            "levels), or pad the images"
        ) from None


def own_sizes(choice: NetworkChoice, shape: tuple[int, ...]) -> UNetConfig | MLPConfig:
    """Sizes for samples of this shape; AUTO takes the U-Net from 16x16 pixels on.

    Raises:
        BenchError: the shape does not suit the network.
    """
    channels, height, width = shape
    large = min(height, width) >= 16
    if choice is NetworkChoice.MLP or (choice is NetworkChoice.AUTO and not large):
        return MLPConfig(sample=shape)
    try:
        return UNetConfig(image=(channels, height, width))
    except ValueError as error:
        raise BenchError(f"network '{choice.value}': {error}; or pass --network mlp") from error


def _require_square_bytes(choice: NetworkChoice, subject: Subject) -> None:
    _, height, width = subject.shape
    if subject.levels != 256 or height != width:
        raise BenchError(
            f"network '{choice.value}' is for square images of 256 levels, '{subject.data}' has "
            f"{height}x{width} of {subject.levels}; take --network unet or mlp"
        )


def _attended(sizes: Sizes, side: int) -> tuple[int, ...]:
    """The second level's resolution: 16 of 32 in all published networks for CIFAR-10."""
    return (side // 2,) if len(sizes.mults) > 1 else (side,)


def _score_sde(choice: NetworkChoice, sizes: Sizes, subject: Subject) -> ScoreSdeRecipe:
    process = subject.process
    sde = _sde(process)
    ncsnpp = choice is NetworkChoice.NCSNPP
    if sde is None or (sde == "ve" and not ncsnpp):
        known = "ve, vp and subvp" if ncsnpp else "vp and subvp"
        raise ValueError(f"it goes with the processes {known}, not '{process.name}'")
    network = NCSNppConfig(
        image_size=subject.shape[1],
        channels=subject.shape[0],
        nf=sizes.width,
        ch_mult=sizes.mults,
        num_res_blocks=sizes.blocks,
        attn_resolutions=_attended(sizes, subject.shape[1]),
        embedding="fourier" if sde == "ve" else "positional",
        fir=ncsnpp,
        progressive_input="residual" if ncsnpp else "none",
        scale_by_sigma=sde == "ve",
        centered=sde != "ve",
        dropout=sizes.dropout,
    )
    if isinstance(process, VE):
        # In the units of images in [0, 1], half of those of images in [-1, 1].
        ends = process.sigma_min / 2, process.sigma_max / 2
        network = replace(network, sigma_min=ends[0], sigma_max=ends[1])
    recipe = ScoreSdeRecipe(sde, True, subject.data, network)
    if isinstance(process, VP | SubVP):
        recipe = replace(recipe, beta_min=process.beta_min, beta_max=process.beta_max)
    return recipe


def _sde(process: NoiseProcess) -> Literal["ve", "vp", "subvp"] | None:
    if isinstance(process, VE):
        return "ve"
    if isinstance(process, VP):
        return "vp"
    return "subvp" if isinstance(process, SubVP) else None


def _edm(choice: NetworkChoice, sizes: Sizes, subject: Subject) -> EdmRecipe:
    ncsnpp = choice is NetworkChoice.EDM_NCSNPP
    network = EdmUnetConfig(
        img_resolution=subject.shape[1],
        in_channels=subject.shape[0],
        out_channels=subject.shape[0],
        model_channels=sizes.width,
        channel_mult=sizes.mults,
        num_blocks=sizes.blocks,
        attn_resolutions=_attended(sizes, subject.shape[1]),
        embedding_type="fourier" if ncsnpp else "positional",
        channel_mult_noise=2 if ncsnpp else 1,
        encoder_type="residual" if ncsnpp else "standard",
        resample_filter=(1, 3, 3, 1) if ncsnpp else (1, 1),
        dropout=sizes.dropout,
    )
    s_min, s_max = subject.process.s_range
    return EdmRecipe("edm", network, subject.data, sigma_min=s_min, sigma_max=s_max)
