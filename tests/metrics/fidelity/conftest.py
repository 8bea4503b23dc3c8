"""A small extractor in torch-fidelity's registry, random images, and a cache of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

from bench.api import (
    Asset,
    Batch,
    DiscreteData,
    Draw,
    Measurement,
    Sampler,
    ScoreModel,
    Target,
    Trial,
)
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.edm.process import EDM
from bench_plugins.fidelity.extractors import _load
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION, Kind, build_plain
from bench_plugins.fidelity.metric import FeatureMetric
from bench_plugins.fidelity.reference import _features, _load_cached, _load_published
from bench_plugins.fidelity.weights import PublishedWeights

D = 16
Measure = Callable[..., dict[str, Measurement]]


class Tiny(FeatureExtractorBase):  # type: ignore[misc]
    """16 features and 10 logits of images of any size; counts the images that it sees."""

    seen: list[int]

    def __init__(
        self,
        name: str,
        features_list: list[str],
        feature_extractor_weights_path: Any = None,
        **_options: object,
    ) -> None:
        super().__init__(name, features_list)
        self.seen = []
        self.features = nn.Linear(48, D)
        self.classes = nn.Linear(D, 10)
        self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=True))

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("16", "classes")

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "classes" if metric == "isc" else "16"

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        assert images.dtype == torch.uint8
        assert images.shape[1] == 3
        self.seen.append(len(images))
        coarse = nn.functional.adaptive_avg_pool2d(images.float() / 64, 4).flatten(1)
        pooled = self.features(coarse).relu()
        named = {"16": pooled, "classes": self.classes(pooled)}
        # Else torch-fidelity takes the mean in float32, and an oracle should not round.
        return tuple(named[name].double() for name in self.features_list)


if "scorebench-tiny" not in FEATURE_EXTRACTORS_REGISTRY:
    register_feature_extractor("scorebench-tiny", Tiny)


def tiny_state(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "features.weight": (D, 48),
        "features.bias": (D,),
        "classes.weight": (10, D),
        "classes.bias": (10,),
    }
    return {name: torch.randn(s, generator=generator) / 2 for name, s in shapes.items()}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, on the disk and in the process."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("BENCH_CACHE", str(folder))
    for known in (_load, _load_cached, _features, _load_published):
        known.cache_clear()
    return folder


@pytest.fixture
def tiny(cache: Path, monkeypatch: pytest.MonkeyPatch) -> PublishedWeights:
    """The small extractor in the place of Inception-v3, its weights in the cache folder."""
    path = cache / "extractors" / "tiny.pth"
    path.parent.mkdir(parents=True)
    torch.save(tiny_state(0), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    asset = Asset("tiny", "https://example.org/tiny.pth", "extractors/tiny.pth", digest)
    published = PublishedWeights("scorebench-tiny", asset)
    monkeypatch.setitem(EXTRACTORS, INCEPTION, Kind(published, build_plain))
    return published


@pytest.fixture
def other(tiny: PublishedWeights, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small extractor with other weights, in the place of CLIP's."""
    path = cache / "extractors" / "other.pth"
    torch.save(tiny_state(1), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    asset = Asset("other", "https://example.org/other.pth", "extractors/other.pth", digest)
    published = PublishedWeights("scorebench-tiny", asset)
    monkeypatch.setitem(EXTRACTORS, "clip-vit-b-32", Kind(published, build_plain))
    return path


@pytest.fixture
def photos() -> Callable[..., Tensor]:
    """Random images, uint8, (n, C, size, size): coloured patches with noise."""

    def make(count: int, seed: int, size: int = 16, channels: int = 3) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(count, channels, 4, 4, generator=generator)
        smooth = nn.functional.interpolate(coarse, size=size, mode="bilinear")
        noise = torch.rand(count, channels, size, size, generator=generator)
        contrast = 0.6 + 0.1 * (seed % 3)
        return ((smooth * contrast + 0.2 * noise) * 255).to(torch.uint8)

    return make


@pytest.fixture
def measure() -> Measure:
    """The numbers of some metrics of images, fed as a run would feed them."""

    def run(
        metrics: Sequence[FeatureMetric], images: Tensor, batch: int = 64
    ) -> dict[str, Measurement]:
        trial = _trial(images)
        x = (images.double() + 0.5) / 128 - 1
        accumulators = [metric.start(trial) for metric in metrics]
        for first in range(0, len(x), batch):
            for accumulator in accumulators:
                accumulator.add(Batch(first, x[first : first + batch].clone()))
        numbers = [number for accumulator in accumulators for number in accumulator.result()]
        return {number.metric: number for number in numbers}

    return run


def _trial(images: Tensor, levels: int = 256) -> Trial:
    shape = tuple(images.shape[1:])
    discrete = DiscreteData(levels, lambda: images)
    model = ScoreModel(lambda y, s: y, shape, 0.002, 80.0, "", Target("toy", discrete=discrete))
    process = EDM()
    times = (process.at_s(80.0), process.at_s(0.002))
    return Trial(model, process, Sampler(DDIM()), times, Draw(0, len(images), 64, shape))


@pytest.fixture
def trial_of() -> Callable[..., Trial]:
    """A trial whose samples are images of this shape, as many as there are."""
    return _trial


@pytest.fixture
def save_folder(tmp_path: Path) -> Callable[[str, Tensor], Path]:
    """Images as .png in a folder, in folders of hundreds."""

    def save(name: str, images: Tensor) -> Path:
        for i, image in enumerate(images):
            file = tmp_path / name / f"{i // 100:03d}" / f"{i:05d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
            Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file)
        return tmp_path / name

    return save
