"""Classifiers of noised samples, p(c | y; s): to train, to ship, and to guide with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.api import (
    TrainableClassifier,
    TrainingRecord,
    TrainingTask,
    paper,
    read_weights,
    require,
    write_network,
)
from bench_plugins.models.networks.encoder import CleanEncoder, Encoder
from bench_plugins.models.networks.precond import Preconditioning
from bench_plugins.models.networks.unet import UNetConfig

_DATA = Path(__file__).parent / "data"
_KIND = "noisy_classifier"

NOISY_CLASSIFIERS = {
    name: _DATA / f"{name}_noisy_classifier.safetensors" for name in ("mnist", "cifar10_jpeg")
}
"""Files that ship, by data set."""


@dataclass(frozen=True, eq=False)
class NoisyClassifier:
    """p(c | y; s) for y = x_0 + s eps, differentiable in y.

    Attributes:
        network: logits (n, classes) of (y, s).
        classes: their number.
        shape: of one sample.
        s_range: the noise levels that it was trained for.
        data: name of the data set.
        weights: sha256 of its file.
    """

    network: nn.Module
    classes: int
    shape: tuple[int, ...]
    s_range: tuple[float, float]
    data: str
    weights: str

    def log_probs(self, y: Tensor, s: Tensor) -> Tensor:
        """ln p(c | y; s), (n, classes); y (n, *shape), s of shape () or (n,)."""
        return self.network(y, s).log_softmax(dim=1)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class EncoderClassifier(TrainableClassifier):
    """The way down of the small U-Net as a classifier, under `--noise` one of noised samples.

    Attributes:
        fine: channels at half the resolution of the images, a multiple of 8.
        coarse: channels at a quarter of it, a multiple of 32.
    """

    name: ClassVar[str] = "encoder"
    reference: ClassVar[str] = (
        "Song et al. 2021, arXiv:2011.13456, Appendix I.4, with a small network"
    )
    bibtex: ClassVar[str] = paper("song2021score")

    fine: int = 32
    coarse: int = 64

    def __post_init__(self) -> None:
        require(self.fine >= 8 and self.fine % 8 == 0, "fine must be a multiple of 8")
        require(self.coarse >= 32 and self.coarse % 32 == 0, "coarse must be a multiple of 32")

    def build(self, shape: tuple[int, ...], levels: int) -> nn.Module:
        return CleanEncoder(self._encoder(shape, Preconditioning(), 10), levels)

    def build_noisy(self, task: TrainingTask) -> nn.Module:
        """Return a classifier of noised samples: network(y, s) gives logits (n, task.classes)."""
        return self._encoder(task.shape, Preconditioning(task.std, task.mean), task.classes)

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        encoder = network.encoder if isinstance(network, CleanEncoder) else network
        assert isinstance(encoder, Encoder)
        kind = "clean_encoder" if isinstance(network, CleanEncoder) else _KIND
        sizes = {
            "kind": kind,
            "network": asdict(encoder.config),
            "preconditioning": asdict(encoder.preconditioning),
            "classes": encoder.classes,
        }
        write_network(path, encoder, asdict(record) | sizes)

    def _encoder(self, shape: tuple[int, ...], moments: Preconditioning, classes: int) -> Encoder:
        channels, height, width = shape
        config = UNetConfig((channels, height, width), self.fine, self.coarse)
        return Encoder(config, moments, classes)


def load_noisy_classifier(
    source: str | Path, device: torch.device, dtype: torch.dtype
) -> NoisyClassifier:
    """Return a classifier of noised samples, frozen.

    Args:
        source: the data set of a classifier that ships, or a file that
            `bench train-classifier --noise` wrote.

    Raises:
        BenchError: the file is missing or damaged, or holds something else.
    """
    file = read_weights(NOISY_CLASSIFIERS.get(str(source), Path(source)))
    try:
        record = file.record
        if record["kind"] != _KIND:
            raise ValueError(f"it holds a network of the kind '{record['kind']}'")
        config = _config(record["network"])
        encoder = Encoder(config, Preconditioning(**record["preconditioning"]), record["classes"])
        training = TrainingRecord.of(record)
        low, high = training.s_range
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise file.damage_error(f"its description is wrong ({error!r})") from error
    network = file.fill(encoder).to(device, dtype)
    return NoisyClassifier(
        network, encoder.classes, config.image, (low, high), training.data, file.sha256
    )


def _config(sizes: Mapping[str, Any]) -> UNetConfig:
    """JSON's lists as the tuples that frozen dataclasses hold."""
    return UNetConfig(**{**sizes, "image": tuple(sizes["image"])})
