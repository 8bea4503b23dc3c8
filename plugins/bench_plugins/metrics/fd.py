"""Frechet distances in the features of small classifiers that the package ships.

They are named ``fd_<data>``: ``fid`` is kept for Inception-v3 features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    BenchError,
    DiscreteData,
    Measurement,
    Moments,
    SampleMetric,
    Trial,
    Uncertainty,
    UnsupportedError,
    frechet_distance,
    frechet_influence,
    paper,
    root_factor,
)

_CHUNK = 64  # fixed, so that features do not depend on the batch size of the run


@dataclass(frozen=True)
class _ClassifierFrechet(SampleMetric):
    """Frechet distance in 64 classifier features; biased upwards for small n, so compare equal n.

    Samples are rounded to the integer levels of the data, as real images are. The reference is
    the whole data set, whose moments are shipped.
    """

    reference: ClassVar[str] = "Heusel et al. 2017, arXiv:1706.08500, Eq. 6, in other features"
    bibtex: ClassVar[str] = paper("heusel2017gans")
    unit: ClassVar[str] = "1"
    data: ClassVar[str]
    imports: ClassVar[tuple[str, ...]] = ("bench_plugins.metrics.extractors",)

    def start(self, trial: Trial) -> Accumulator:
        target = trial.model.target
        if target.data != self.data or target.discrete is None:
            raise UnsupportedError(
                f"{self.name} compares with the data set '{self.data}'; the model samples "
                f"'{target.data}'"
            )
        if trial.draw.samples < 2:
            raise UnsupportedError(f"{self.name} needs at least 2 samples for a covariance")
        return _Streamed(self, target.discrete)


@dataclass(frozen=True)
class MnistFrechet(_ClassifierFrechet):
    """Frechet distance to MNIST's 60,000 training images in the features of a digit classifier."""

    name: ClassVar[str] = "fd_mnist"
    title: ClassVar[str] = "Frechet distance (MNIST classifier)"
    data: ClassVar[str] = "mnist"


@dataclass(frozen=True)
class Cifar10JpegFrechet(_ClassifierFrechet):
    """Frechet distance to `cifar10_jpeg`, 50,000 images, in the features of a small classifier.

    They are CIFAR-10's after lossy compression (see WEIGHTS.md): no figure of CIFAR-10 compares.
    """

    name: ClassVar[str] = "fd_cifar10_jpeg"
    title: ClassVar[str] = "Frechet distance (CIFAR-10 JPEG classifier)"
    data: ClassVar[str] = "cifar10_jpeg"


@dataclass(frozen=True)
class DigitsFrechet(_ClassifierFrechet):
    """Frechet distance to scikit-learn's 1,797 digits in the features of a digit classifier."""

    name: ClassVar[str] = "fd_digits"
    title: ClassVar[str] = "Frechet distance (digits classifier)"
    data: ClassVar[str] = "digits"


@dataclass(frozen=True)
class _Streamed:
    metric: _ClassifierFrechet
    discrete: DiscreteData
    moments: list[Moments] = field(default_factory=list)
    kept: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        from bench_plugins.metrics.extractors import extractor  # imports torchvision: two seconds

        network = extractor(f"scorebench-{self.metric.data}", batch.x.is_cuda)
        for images in self.discrete.quantise(batch.x).split(_CHUNK):
            features = network(images)[0].cpu()
            self.kept.append(features)
            moments = Moments.of(features)
            self.moments[:] = [self.moments[0].merge(moments) if self.moments else moments]

    def result(self) -> Sequence[Measurement]:
        from bench_plugins.metrics.extractors import extractor

        (moments,) = self.moments
        known = _reference(self.metric.data)
        used = extractor(f"scorebench-{self.metric.data}", False).sha256
        if known.extractor != used:
            raise BenchError(
                f"{self.metric.name}: the reference statistics belong to extractor "
                f"{known.extractor[:16]}, not {used[:16]}; reinstall the package"
            )
        value = frechet_distance(known.mean, known.covariance, moments.mean, moments.covariance)
        error = Uncertainty.of(
            value,
            lambda: frechet_influence(
                torch.cat(self.kept), known.mean, moments.covariance, root_factor(known.covariance)
            ),
        )
        return [
            Measurement(
                self.metric.name,
                value,
                self.metric.unit,
                moments.count,
                std_error=error.std_error,
                reference=known.digest,
                evidence=error.evidence,
                reference_n=known.count,
                note=error.note,
            )
        ]


@dataclass(frozen=True, eq=False)
class _Reference:
    mean: Tensor
    covariance: Tensor
    digest: str
    extractor: str
    count: int


@lru_cache(maxsize=4)
def _reference(data: str) -> _Reference:
    path = Path(__file__).parent / "data" / f"{data}_reference.safetensors"
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="pt") as file:
            mean, covariance = file.get_tensor("mean"), file.get_tensor("covariance")
            record = json.loads(file.metadata()["bench"])
            made_with, count = str(record["extractor_sha256"]), int(record["n"])
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BenchError(f"{path}: cannot be read ({error}); reinstall the package") from None
    moments = mean.to(torch.float64), covariance.to(torch.float64)
    return _Reference(*moments, digest, made_with, count)
