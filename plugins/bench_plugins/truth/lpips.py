"""LPIPS of each sample to the truth, with published weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Asset,
    BenchError,
    FilePath,
    UnsupportedError,
    file_sha256,
    read_assets,
    require,
)
from bench_plugins.truth.answers import Answers
from bench_plugins.truth.images import ImageMetric
from bench_plugins.truth.papers import ZHANG2018
from bench_plugins.truth.vgg import load_network

ASSETS = read_assets("bench_plugins.truth", "data/assets.json")

(LAYERS,) = ASSETS

VGG16 = Asset(
    "vgg16-weights",
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    "extractors/vgg16-397923af.pth",
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
)
"""torchvision's VGG-16, which the family of image metrics lists for `bench models fetch`."""

_LEAST = 16
"""Pixels that four poolings leave one of."""


@dataclass(frozen=True)
class PerceptualSimilarity(ImageMetric):
    """Learned perceptual distance (LPIPS, VGG-16, version 0.1) of each sample to the truth.

    Grey images are given as three equal channels, and no image is resized: at 28 or 32 pixels the
    network sees less than it was made for, so compare equal sizes only.

    Attributes:
        weights: LPIPS's weights of the layers, a file of your own; None: the published one.
        vgg: VGG-16's weights, a file of your own; None: the published one.
    """

    name: ClassVar[str] = "lpips"
    reference: ClassVar[str] = "Zhang et al. 2018, arXiv:1801.03924 (LPIPS)"
    bibtex: ClassVar[str] = ZHANG2018
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "LPIPS (VGG-16)"

    weights: FilePath | None = None
    vgg: FilePath | None = None

    def __post_init__(self) -> None:
        for path in (self.weights, self.vgg):
            given = path is None or (bool(path) and "\0" not in path)
            require(given, "weights and vgg must be paths or null")

    def assets(self) -> Sequence[Asset]:
        pairs = ((self.weights, LAYERS), (self.vgg, VGG16))
        return [asset for own, asset in pairs if own is None]

    def contents(self) -> Mapping[str, str]:
        """The published weights are the same under any name."""
        known = {"weights": (self.weights, LAYERS), "vgg": (self.vgg, VGG16)}
        return {
            name: "" if digest == asset.pin else digest
            for name, (own, asset) in known.items()
            if own is not None
            for digest in (_find(own, asset)[1],)
        }

    def fingerprint(self) -> str:
        return f"{_find(self.weights, LAYERS)[1]} {_find(self.vgg, VGG16)[1]}"

    def check(self, answers: Answers) -> None:
        super().check(answers)
        shape = answers.trial.model.shape
        if shape[0] not in (1, 3) or min(shape[1:]) < _LEAST:
            raise UnsupportedError(
                f"{self.name} needs images of 1 or 3 channels and {_LEAST} pixels, and they are "
                f"{'x'.join(map(str, shape))}"
            )

    def of_images(self, answers: Answers, x: Tensor, truth: Tensor) -> Tensor:
        vgg, layers = _find(self.vgg, VGG16), _find(self.weights, LAYERS)
        network = load_network(*vgg, *layers)
        return network.distance(x.float(), truth.float()).double()


def _find(own: str | None, published: Asset) -> tuple[Path, str]:
    """The user's own file or the published one in the cache, and its sha256.

    Raises:
        BenchError: it is missing, or the published one is damaged.
    """
    if own is None:
        return published.path, published.digest()
    try:
        return Path(own), file_sha256(Path(own))
    except OSError as error:
        raise BenchError(
            f"weights '{own}': {error.strerror}; name a file of weights, or leave it out"
        ) from None
