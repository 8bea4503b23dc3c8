"""NCSN++ and DDPM++ for `bench train`: files of the models `score_sde` and `edm`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

from torch import nn

from bench.api import (
    BenchError,
    NoiseProcess,
    Trainable,
    TrainingRecord,
    TrainingTask,
    paper,
    require,
)
from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.networks.edm_unet import EdmUnetConfig
from bench_plugins.checkpoints.networks.ncsnpp import NCSNppConfig
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe
from bench_plugins.checkpoints.training import TrainableEdm, TrainableScoreSde


@dataclass(frozen=True)
class _PublishedNetwork(Trainable):
    """A published U-Net, for square images of 256 levels.

    Attributes:
        width: channels of the first level.
        mults: channels of the levels in units of it; the second level has attention.
        blocks: residual blocks of a level.
        dropout: share of activations dropped in training.
    """

    width: int = 128
    mults: tuple[int, ...] = (1, 2, 2, 2)
    blocks: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = (self.width, self.blocks, *self.mults)
        require(bool(self.mults) and min(sizes) >= 1, "width, mults and blocks must be >= 1")
        require(0 <= self.dropout < 1, "dropout must lie in [0, 1)")

    @property
    def dropout_rate(self) -> float:
        return self.dropout

    def build(self, task: TrainingTask) -> nn.Module:
        _, height, width = task.shape
        if task.levels != 256 or height != width:
            raise BenchError(
                f"network '{self.name}' is for square images of 256 levels, '{task.data}' has "
                f"{height}x{width} of {task.levels}; take --network unet or mlp"
            )
        try:
            return self._module(task)
        except ValueError as error:
            raise BenchError(
                f"network '{self.name}' for samples of shape {task.shape}: {error}; change "
                "--mults, --width or --process, take a preset whose name ends in -small (three "
                "levels), or pad the images"
            ) from None

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        assert isinstance(network, TrainableScoreSde | TrainableEdm)
        network.save(path, asdict(record))

    @abstractmethod
    def _module(self, task: TrainingTask) -> nn.Module:
        """Return the denoiser; raises ValueError where sizes, data and process do not fit."""

    def _attention(self, side: int) -> tuple[int, ...]:
        """The second level's resolution: 16 of 32 in all published networks for CIFAR-10."""
        return (side // 2,) if len(self.mults) > 1 else (side,)


class _ScoreSdeNetwork(_PublishedNetwork):
    processes: ClassVar[tuple[str, ...]]
    fir: ClassVar[bool]
    progressive_input: ClassVar[Literal["none", "residual"]]

    def recipe(self, task: TrainingTask) -> ScoreSdeRecipe:
        """Return what the model `score_sde` has to know of the network.

        Raises:
            ValueError: sizes, data and process do not go together.
        """
        sde = self._sde(task.process)
        network = NCSNppConfig(
            image_size=task.shape[1],
            channels=task.shape[0],
            nf=self.width,
            ch_mult=self.mults,
            num_res_blocks=self.blocks,
            attn_resolutions=self._attention(task.shape[1]),
            embedding="fourier" if sde == "ve" else "positional",
            fir=self.fir,
            progressive_input=self.progressive_input,
            scale_by_sigma=sde == "ve",
            centered=sde != "ve",
            dropout=self.dropout,
        )
        parameters = asdict(cast(Any, task.process))
        if sde == "ve":
            # In the units of images in [0, 1], half of those of images in [-1, 1].
            ends = {name: parameters[name] / 2 for name in ("sigma_min", "sigma_max")}
            return ScoreSdeRecipe(sde, True, task.data, replace(network, **ends))
        betas = {name: parameters[name] for name in ("beta_min", "beta_max")}
        return ScoreSdeRecipe(sde, True, task.data, network, **betas)

    def _sde(self, process: NoiseProcess) -> Literal["ve", "vp", "subvp"]:
        if process.name not in self.processes:
            *others, last = self.processes
            known = f"{', '.join(others)} and {last}"
            raise ValueError(f"it goes with the processes {known}, not '{process.name}'")
        return cast(Literal["ve", "vp", "subvp"], process.name)

    def _module(self, task: TrainingTask) -> nn.Module:
        return TrainableScoreSde(self.recipe(task))


@dataclass(frozen=True)
class Ncsnpp(_ScoreSdeNetwork):
    """NCSN++ as score_sde has it, for the processes ve, vp and subvp."""

    name: ClassVar[str] = "ncsnpp"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Appendix H"
    bibtex: ClassVar[str] = paper("song2021score")
    processes: ClassVar[tuple[str, ...]] = ("ve", "vp", "subvp")
    fir: ClassVar[bool] = True
    progressive_input: ClassVar[Literal["none", "residual"]] = "residual"


@dataclass(frozen=True)
class Ddpmpp(_ScoreSdeNetwork):
    """DDPM++ as score_sde has it, for the processes vp and subvp."""

    name: ClassVar[str] = "ddpmpp"
    reference: ClassVar[str] = Ncsnpp.reference
    bibtex: ClassVar[str] = paper("song2021score")
    processes: ClassVar[tuple[str, ...]] = ("vp", "subvp")
    fir: ClassVar[bool] = False
    progressive_input: ClassVar[Literal["none", "residual"]] = "none"


class _EdmNetwork(_PublishedNetwork):
    ncsnpp: ClassVar[bool]

    def recipe(self, task: TrainingTask) -> EdmRecipe:
        """Return what the model `edm` has to know of the network.

        Raises:
            ValueError: sizes and data do not go together.
        """
        network = EdmUnetConfig(
            img_resolution=task.shape[1],
            in_channels=task.shape[0],
            out_channels=task.shape[0],
            model_channels=self.width,
            channel_mult=self.mults,
            num_blocks=self.blocks,
            attn_resolutions=self._attention(task.shape[1]),
            embedding_type="fourier" if self.ncsnpp else "positional",
            channel_mult_noise=2 if self.ncsnpp else 1,
            encoder_type="residual" if self.ncsnpp else "standard",
            resample_filter=(1, 3, 3, 1) if self.ncsnpp else (1, 1),
            dropout=self.dropout,
        )
        s_min, s_max = task.process.s_range
        return EdmRecipe("edm", network, task.data, sigma_min=s_min, sigma_max=s_max)

    def sigma_data(self, task: TrainingTask) -> float:
        return EdmRecipe.sigma_data  # its preconditioning, whatever the data

    def _module(self, task: TrainingTask) -> nn.Module:
        return TrainableEdm(self.recipe(task))


@dataclass(frozen=True)
class EdmNcsnpp(_EdmNetwork):
    """NCSN++ as EDM has it, with EDM's preconditioning."""

    name: ClassVar[str] = "edm-ncsnpp"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Table 7"
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    ncsnpp: ClassVar[bool] = True


@dataclass(frozen=True)
class EdmDdpmpp(_EdmNetwork):
    """DDPM++ as EDM has it, with EDM's preconditioning."""

    name: ClassVar[str] = "edm-ddpmpp"
    reference: ClassVar[str] = EdmNcsnpp.reference
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    ncsnpp: ClassVar[bool] = False
