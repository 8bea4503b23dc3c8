"""Frechet distances in the features of small classifiers that the package ships.

They are named ``fd_<data>``: ``fid`` is kept for Inception-v3 features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    DiscreteData,
    Measurement,
    Moments,
    Trial,
    Uncertainty,
    UnsupportedError,
    frechet_distance,
    frechet_influence,
    paper,
    root_factor,
)
from bench_plugins.metrics.features import FeatureMetric


@dataclass(frozen=True)
class _ClassifierFrechet(FeatureMetric):
    """Frechet distance in 64 classifier features; biased upwards for small n, so compare equal n.

    Samples are rounded to the integer levels of the data, as real images are. The reference is
    the whole data set, whose moments are shipped.
    """

    reference: ClassVar[str] = "Heusel et al. 2017, arXiv:1706.08500, Eq. 6, in other features"
    bibtex: ClassVar[str] = paper("heusel2017gans")

    def start(self, trial: Trial) -> Accumulator:
        discrete = self.discrete(trial)
        if trial.draw.samples < 2:
            raise UnsupportedError(f"{self.name} needs at least 2 samples for a covariance")
        return _Streamed(self, discrete)


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
        features = self.metric.features(self.discrete, batch.x)
        self.kept.append(features)
        # Chunk by chunk as ever: the sum's rounding is part of the number.
        for part in features.split(64):
            moments = Moments.of(part)
            self.moments[:] = [self.moments[0].merge(moments) if self.moments else moments]

    def result(self) -> Sequence[Measurement]:
        (moments,), known = self.moments, self.metric.moments("reference")
        mean, covariance = (known.tensors[name].double() for name in ("mean", "covariance"))
        value = frechet_distance(mean, covariance, moments.mean, moments.covariance)
        error = Uncertainty.of(
            value,
            lambda: frechet_influence(
                torch.cat(self.kept), mean, moments.covariance, root_factor(covariance)
            ),
        )
        return [
            Measurement(
                self.metric.name,
                value,
                self.metric.unit,
                moments.count,
                std_error=error.std_error,
                reference=known.sha256,
                evidence=error.evidence,
                reference_n=int(known.record["n"]),
                note=error.note,
            )
        ]
