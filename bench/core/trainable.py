"""Networks that `bench train` can train, whatever package they come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from bench.core.plugin import Plugin
from bench.core.process import NoiseProcess


@dataclass(frozen=True)
class TrainingTask:
    """The data that a network is trained on, and the noise process.

    Attributes:
        data: name of the data set.
        shape: shape of one sample.
        levels: values that an entry can take, level k near 2 k / levels - 1; 0: real numbers.
        mean: of all entries of the data, dequantised.
        std: their standard deviation.
        process: noise process.
        classes: number of classes to condition on, 0 for none.
    """

    data: str
    shape: tuple[int, ...]
    levels: int
    mean: float
    std: float
    process: NoiseProcess
    classes: int = 0


@dataclass(frozen=True)
class TrainingRecord:
    """The part of a file of weights that describes their training.

    Attributes:
        s_range: noise-to-signal ratios seen, (0, 0) for classifiers.
        data: name of the data set.
        levels: number of values that an entry can take.
        data_sha256: digest of the training samples.
        images: samples seen, with repetition.
        recipe: command and configuration.
        licence: of the data.
    """

    s_range: tuple[float, float]
    data: str
    levels: int
    data_sha256: str
    images: int
    recipe: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""

    @staticmethod
    def of(record: Mapping[str, Any]) -> TrainingRecord:
        """Return the record among the entries of a file's; others are left out.

        Raises:
            TypeError: an entry is missing, or no pair stands for s_range.
        """
        values = {f.name: record[f.name] for f in fields(TrainingRecord) if f.name in record}
        return TrainingRecord(**{**values, "s_range": tuple(record.get("s_range", ()))})


class Trainable(Plugin, ABC):
    """A network that `bench train --network NAME` trains. Its fields are its sizes.

    The network is a normalised denoiser D(y; s) of y = x_0 + s eps, preconditioning included: a
    module called as ``network(y, s)``, y of shape (n, *shape) and s of shape () or (n,), that
    returns the shape of y. `save` writes it as a file that a model plugin loads. For a task with
    classes it is a `ClassDenoiser`, called as ``network(y, s, labels)``.

    Attributes:
        conditional: True where tasks with classes are understood.
    """

    conditional: ClassVar[bool] = False

    @property
    def dropout_rate(self) -> float:
        """Share of activations dropped in training.

        Greater than 0 if a pass draws from torch's global generator, which the trainer then seeds.
        """
        return 0.0

    def sigma_data(self, task: TrainingTask) -> float:
        """Return the standard deviation of the data for EDM's weighting of the loss."""
        return task.std

    @abstractmethod
    def build(self, task: TrainingTask) -> nn.Module:
        """Return the denoiser, freshly initialised from torch's global generator.

        Raises:
            BenchError: sizes, data and process do not go together; says what to change.
        """

    @abstractmethod
    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        """Write what `build` returned, trained, as a safetensors file (see `write_weights`)."""


class FeatureNetwork(Protocol):
    """A classifier of images with a layer of features."""

    def features(self, images: Tensor) -> Tensor:
        """Features (n, d) of uint8 images (n, channels, height, width)."""
        ...


class TrainableClassifier(Plugin, ABC):
    """A classifier that `bench train-classifier` trains as the extractor of a Frechet distance.

    Its network is called with uint8 images (n, channels, height, width), returns logits
    (n, classes), and is a `FeatureNetwork`.
    """

    @abstractmethod
    def build(self, shape: tuple[int, ...], levels: int) -> nn.Module:
        """Return a network for images of this shape and number of levels, freshly initialised."""

    @abstractmethod
    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        """Write what `build` returned, trained, as a safetensors file (see `write_weights`)."""
