"""The Frechet distance of the samples of each class to the data of that class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
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
    WeightsFile,
    frechet_distance,
    frechet_influence,
    paper,
    root_factor,
)
from bench_plugins.metrics.features import FeatureMetric
from bench_plugins.metrics.papers import BENNY2021


@dataclass(frozen=True)
class _ClassFrechet(FeatureMetric):
    """Mean over the classes of the Frechet distance of their samples to the data of that class.

    Samples of the wrong class cost, and so does a lack of variety within one, which an accuracy
    does not see. It is biased upwards where a class has few samples: compare equal numbers.
    """

    reference: ClassVar[str] = (
        "Benny et al. 2021, arXiv:2004.12361, within-class FID; Heusel et al. 2017, "
        "arXiv:1706.08500, Eq. 6"
    )
    bibtex: ClassVar[str] = BENNY2021 + paper("heusel2017gans")

    def start(self, trial: Trial) -> Accumulator:
        discrete = self.discrete(trial)
        labels = trial.labels(0, trial.draw.samples)
        if labels is None:
            raise UnsupportedError(
                f"{self.name} needs samples of classes: a class-conditional model or a task such "
                "as class"
            )
        few = [int(c) for c in labels.unique() if int((labels == c).sum()) < 2]
        if few:
            raise UnsupportedError(f"{self.name} needs two samples of each class; {few[0]} has one")
        return _ByClass(self, labels.cpu(), discrete)


@dataclass(frozen=True)
class MnistClassFrechet(_ClassFrechet):
    """Mean over the digits of the Frechet distance of their samples to MNIST's of that digit.

    In the features of `fd_mnist`; samples of the wrong digit cost, and so does a lack of variety.
    """

    name: ClassVar[str] = "fd_mnist_class"
    title: ClassVar[str] = "Frechet distance within classes (MNIST classifier)"
    data: ClassVar[str] = "mnist"


@dataclass(frozen=True)
class Cifar10JpegClassFrechet(_ClassFrechet):
    """Mean over the classes of the Frechet distance of their samples to `cifar10_jpeg`'s.

    In the features of `fd_cifar10_jpeg`; samples of the wrong class cost, and so does a lack of
    variety.
    """

    name: ClassVar[str] = "fd_cifar10_jpeg_class"
    title: ClassVar[str] = "Frechet distance within classes (CIFAR-10 JPEG classifier)"
    data: ClassVar[str] = "cifar10_jpeg"


@dataclass(frozen=True, eq=False)
class _ByClass:
    metric: _ClassFrechet
    labels: Tensor
    discrete: DiscreteData
    kept: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.kept.append(self.metric.features(self.discrete, batch.x))

    def result(self) -> Sequence[Measurement]:
        known, features = self.metric.moments("class_reference"), torch.cat(self.kept)
        found = list(self._distances(known, features))
        value = sum(distance for distance, _ in found) / len(found)
        errors = [error for _, error in found if error is not None]
        std_error = None
        if len(errors) == len(found):
            std_error = math.sqrt(sum(error**2 for error in errors)) / len(found)
        reference_n = int(known.tensors["n"].sum())
        return [
            Measurement(
                self.metric.name,
                value,
                self.metric.unit,
                len(features),
                std_error=std_error,
                reference=known.sha256,
                reference_n=reference_n,
            )
        ]

    def _distances(
        self, known: WeightsFile, features: Tensor
    ) -> Iterator[tuple[float, float | None]]:
        """Distance and standard error of each class that was asked for."""
        for label in self.labels.unique().tolist():
            own = features[self.labels[: len(features)] == label]
            mean = known.tensors["mean"][label].double()
            covariance = known.tensors["covariance"][label].double()
            moments = Moments.of(own)
            value = frechet_distance(mean, covariance, moments.mean, moments.covariance)
            influence = partial(
                frechet_influence, own, mean, moments.covariance, root_factor(covariance)
            )
            yield value, Uncertainty.of(value, influence).std_error
