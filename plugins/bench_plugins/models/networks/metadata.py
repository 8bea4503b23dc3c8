"""What a file of weights says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bench_plugins.models.networks.classifier import ClassifierConfig
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import Preconditioning
from bench_plugins.models.networks.unet import UNetConfig

NetworkConfig = UNetConfig | MLPConfig | ClassifierConfig


class Kind(Enum):
    """The architectures, by the name that files use for them."""

    UNET = "unet"
    MLP = "mlp"
    CLASSIFIER = "classifier"

    @property
    def config_class(self) -> type[UNetConfig] | type[MLPConfig] | type[ClassifierConfig]:
        """The class of the architecture's sizes."""
        return _CONFIGS[self]

    @staticmethod
    def of(config: NetworkConfig) -> Kind:
        """The kind whose sizes `config` holds."""
        return next(kind for kind, sizes in _CONFIGS.items() if isinstance(config, sizes))


_CONFIGS: dict[Kind, type[UNetConfig] | type[MLPConfig] | type[ClassifierConfig]] = {
    Kind.UNET: UNetConfig,
    Kind.MLP: MLPConfig,
    Kind.CLASSIFIER: ClassifierConfig,
}


@dataclass(frozen=True)
class Metadata:
    """The record that travels in a weights file.

    network: sizes of the architecture. preconditioning: of score models, None for classifiers.
    s_range: noise-to-signal ratios seen in training, (0, 0) for classifiers. data: name of the
    data set; levels: values per entry; data_sha256: digest of the training samples. images:
    samples seen, with repetition. recipe: how to train it again (command and configuration).
    licence: of data and weights. sha256: of the file that it was read from, "" before.
    """

    network: NetworkConfig
    preconditioning: Preconditioning | None
    s_range: tuple[float, float]
    data: str
    levels: int
    data_sha256: str
    images: int
    recipe: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    sha256: str = ""
