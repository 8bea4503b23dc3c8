"""A small classifier whose penultimate layer serves as feature space of a Frechet distance.

It stands in for Inception-v3 (Heusel et al. 2017, arXiv:1706.08500) on small images, for which
it is trained and Inception was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import (
    TrainableClassifier,
    TrainingRecord,
    paper,
    read_weights,
    require,
    write_network,
)


@dataclass(frozen=True)
class ClassifierConfig:
    """Sizes of a `Classifier`; the defaults are those of the shipped MNIST extractor.

    side: height and width of the images; channels: 1, or 3 in colour. levels: number of values a
    pixel can take. widths: channels of the convolution stages; each stage but the last ends by
    halving the resolution. features: size of the feature vector. classes: number of labels.
    """

    side: int = 28
    levels: int = 256
    widths: tuple[int, ...] = (16, 32, 32)
    features: int = 64
    classes: int = 10
    channels: int = 1


class Classifier(nn.Module):
    """Convolutions with batch norm and ReLU, one hidden layer of features, a linear read-out."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.levels = config.levels
        stages, inputs = [], config.channels
        for width in config.widths:
            stages.append(_stage(inputs, width))
            inputs = width
        self.stages = nn.ModuleList(stages)
        side = config.side // 2 ** (len(config.widths) - 1)
        self.hidden = nn.Linear(inputs * (side // 2) ** 2, config.features)
        self.readout = nn.Linear(config.features, config.classes)

    def features(self, images: Tensor) -> Tensor:
        """Features (n, features), float32 and not negative, of images as `forward` takes them.

        The values are the ReLU activations as trained, in no way normalised.
        """
        hidden = images.to(self.hidden.weight.dtype) * (2.0 / (self.levels - 1)) - 1.0
        for stage in self.stages[:-1]:
            hidden = functional.max_pool2d(stage(hidden), 2)
        # The last stage is averaged over 2x2 cells: smoother in small shifts than a maximum.
        hidden = functional.avg_pool2d(self.stages[-1](hidden), 2)
        return torch.relu(self.hidden(hidden.flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) of uint8 images (n, channels, side, side)."""
        logits: Tensor = self.readout(self.features(images))
        return logits


def _stage(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


@dataclass(frozen=True)
class SmallClassifier(TrainableClassifier):
    """A classifier of small square images (`bench train-classifier`).

    Attributes:
        widths: channels of the convolution stages.
    """

    name: ClassVar[str] = "classifier"
    reference: ClassVar[str] = (
        "stands in for Inception-v3 on digits: Heusel et al. 2017, arXiv:1706.08500"
    )
    bibtex: ClassVar[str] = paper("heusel2017gans")

    widths: tuple[int, ...] = (16, 32, 32)

    def __post_init__(self) -> None:
        require(bool(self.widths) and min(self.widths) >= 1, "widths must be at least one, >= 1")

    def build(self, shape: tuple[int, ...], levels: int) -> nn.Module:
        channels, _, side = shape
        return Classifier(ClassifierConfig(side, levels, self.widths, channels=channels))

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        assert isinstance(network, Classifier)
        sizes = {"kind": "classifier", "network": asdict(network.config), "preconditioning": None}
        write_network(path, network, asdict(record) | sizes)


def load_classifier(path: Path) -> tuple[Classifier, str]:
    """Return the classifier of a file, frozen, and the file's sha256.

    Raises:
        BenchError: it is missing, damaged, or holds no classifier.
    """
    file = read_weights(path)
    try:
        classifier = Classifier(_config(file.record))
    except (KeyError, TypeError, ValueError) as error:
        raise file.damage_error(f"its description is wrong ({error!r})") from error
    file.fill(classifier)
    return classifier, file.sha256


def _config(record: Mapping[str, Any]) -> ClassifierConfig:
    if record["kind"] != "classifier":
        raise ValueError(f"it holds a network of the kind '{record['kind']}'")
    sizes = record["network"]
    return ClassifierConfig(**{**sizes, "widths": tuple(sizes["widths"])})
