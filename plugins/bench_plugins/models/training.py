"""The small networks of this family, for `bench train`: files of the model `trained`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from torch import nn

from bench.api import BenchError, Trainable, TrainingRecord, TrainingTask, paper, require
from bench_plugins.models.networks.files import (
    Metadata,
    NetworkConfig,
    build_network,
    save_network,
)
from bench_plugins.models.networks.mlp import MLP, MLPConfig
from bench_plugins.models.networks.precond import EdmDenoiser, Preconditioning
from bench_plugins.models.networks.unet import UNet, UNetConfig


class _SmallNetwork(Trainable):
    """A network of this family, preconditioned for the moments of the data."""

    conditional: ClassVar[bool] = True

    @abstractmethod
    def sizes(self, shape: tuple[int, ...]) -> NetworkConfig:
        """Return the sizes for samples of this shape.

        Raises:
            BenchError: the shape does not suit the network.
        """

    def build(self, task: TrainingTask) -> nn.Module:
        sizes = replace(self.sizes(task.shape), classes=task.classes)
        return build_network(sizes, Preconditioning(task.std, task.mean))

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        assert isinstance(network, EdmDenoiser)
        raw = network.network
        assert isinstance(raw, UNet | MLP)
        save_network(path, network, Metadata(raw.config, network.preconditioning, record))


@dataclass(frozen=True)
class SmallUnet(_SmallNetwork):
    """A U-Net of two resolutions, for images whose sides are multiples of 4.

    Attributes:
        fine: channels at half the resolution of the images, a multiple of 8.
        coarse: channels at a quarter of it, a multiple of 32.
        fine_blocks: residual blocks at half resolution on the way down, one more on the way up.
        coarse_blocks: the same at a quarter.
    """

    name: ClassVar[str] = "unet"
    reference: ClassVar[str] = (
        "DDPM++ in small: Song et al. 2021, arXiv:2011.13456; Karras et al. 2022, arXiv:2206.00364"
    )
    bibtex: ClassVar[str] = paper("song2021score") + paper("karras2022elucidating")

    fine: int = 32
    coarse: int = 64
    fine_blocks: int = 1
    coarse_blocks: int = 2

    def __post_init__(self) -> None:
        sizes = (self.fine, self.coarse, self.fine_blocks, self.coarse_blocks)
        require(min(sizes) >= 1, "fine, coarse, fine_blocks and coarse_blocks must be at least 1")
        require(self.fine % 8 == 0, "fine must be a multiple of 8")
        require(self.coarse % 32 == 0, "coarse must be a multiple of 32")

    def sizes(self, shape: tuple[int, ...]) -> UNetConfig:
        if len(shape) != 3:
            raise BenchError(
                f"network '{self.name}': samples of shape {shape} are no images; pass --network mlp"
            )
        channels, height, width = shape
        image = (channels, height, width)
        blocks = (self.fine_blocks, self.coarse_blocks)
        try:
            return UNetConfig(image, self.fine, self.coarse, *blocks)
        except ValueError as error:
            raise BenchError(f"network '{self.name}': {error}; or pass --network mlp") from error


@dataclass(frozen=True)
class SmallMlp(_SmallNetwork):
    """A residual multi-layer perceptron, for samples of any shape.

    Attributes:
        width: hidden units.
        blocks: residual blocks.
    """

    name: ClassVar[str] = "mlp"
    reference: ClassVar[str] = "preconditioning of Karras et al. 2022, arXiv:2206.00364, Eq. 7"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    width: int = 128
    blocks: int = 3

    def __post_init__(self) -> None:
        require(1 <= self.width <= 16384, "width must lie in 1..16384")
        require(1 <= self.blocks <= 1024, "blocks must lie in 1..1024")

    def sizes(self, shape: tuple[int, ...]) -> MLPConfig:
        return MLPConfig(sample=shape, width=self.width, blocks=self.blocks)


@dataclass(frozen=True)
class SmallNetwork(_SmallNetwork):
    """`unet` for images of 16x16 pixels and more, else `mlp`."""

    name: ClassVar[str] = "auto"
    reference: ClassVar[str] = SmallUnet.reference
    bibtex: ClassVar[str] = SmallUnet.bibtex

    def sizes(self, shape: tuple[int, ...]) -> NetworkConfig:
        small = len(shape) != 3 or min(shape[1:]) < 16
        return SmallMlp().sizes(shape) if small else SmallUnet().sizes(shape)
