"""The shipped classifiers as feature extractors of torch-fidelity's registry."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import cast

from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import register_feature_extractor
from torch_fidelity.utils import create_feature_extractor

from bench_plugins.metrics.classifier import load_classifier

DATA = Path(__file__).parent / "data"


class _ClassifierFeatures(FeatureExtractorBase):
    """Features before the last layer of a shipped classifier, from uint8 images."""

    file: str

    def __init__(self, name: str, features_list: list[str], **_options: object) -> None:
        # torch-fidelity hands the options of all its extractors to each of them.
        super().__init__(name, features_list)
        self.classifier, self.sha256 = load_classifier(DATA / self.file)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("features",)

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "features"

    @staticmethod
    def can_be_compiled() -> bool:
        return True

    @staticmethod
    def get_dummy_input_for_compile() -> None:
        return None

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features (n, d) of uint8 images (n, channels, H, W)."""
        return (self.classifier.features(images),)


class MnistFeatures(_ClassifierFeatures):
    """Classifier of 28x28 MNIST digits."""

    file = "mnist_classifier.safetensors"


class DigitsFeatures(_ClassifierFeatures):
    """Classifier of scikit-learn's 8x8 digits."""

    file = "digits_classifier.safetensors"


class Cifar10JpegFeatures(_ClassifierFeatures):
    """Classifier of 32x32 colour images, CIFAR-10's after JPEG."""

    file = "cifar10_jpeg_classifier.safetensors"


register_feature_extractor("scorebench-cifar10_jpeg", Cifar10JpegFeatures)
register_feature_extractor("scorebench-mnist", MnistFeatures)
register_feature_extractor("scorebench-digits", DigitsFeatures)


@lru_cache(maxsize=4)
def extractor(name: str, cuda: bool) -> _ClassifierFeatures:
    """The extractor of torch-fidelity's registry called ``name``."""
    made = create_feature_extractor(name, ["features"], cuda=cuda, verbose=False)
    return cast(_ClassifierFeatures, made)
