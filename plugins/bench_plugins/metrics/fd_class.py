"""The Frechet distance of the samples of each class to the data of that class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import ClassVar

import torch
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
    WeightsFile,
    frechet_distance,
    frechet_influence,
    paper,
    read_weights,
    root_factor,
)
from bench_plugins.metrics.papers import BENNY2021

_CHUNK = 64  # fixed, so that features do not depend on the batch size of the run


@dataclass(frozen=True)
class MnistClassFrechet(SampleMetric):
    """Mean over the classes of the Frechet distance of their samples to MNIST's of that class.

    In the features of `fd_mnist`. Samples of the wrong class cost, and so does a lack of variety
    within one, which an accuracy does not see. It is biased upwards where a class has few samples:
    compare equal numbers.
    """

    name: ClassVar[str] = "fd_mnist_class"
    reference: ClassVar[str] = (
        "Benny et al. 2021, arXiv:2004.12361, within-class FID; Heusel et al. 2017, "
        "arXiv:1706.08500, Eq. 6"
    )
    bibtex: ClassVar[str] = BENNY2021 + paper("heusel2017gans")
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "Frechet distance within classes (MNIST classifier)"
    imports: ClassVar[tuple[str, ...]] = ("bench_plugins.metrics.extractors",)

    def start(self, trial: Trial) -> Accumulator:
        target = trial.model.target
        if target.data != "mnist" or target.discrete is None:
            raise UnsupportedError(
                f"{self.name} compares with the data set 'mnist'; the model samples '{target.data}'"
            )
        labels = trial.labels(0, trial.draw.samples)
        if labels is None:
            raise UnsupportedError(
                f"{self.name} needs samples of classes: a class-conditional model or a task such "
                "as class"
            )
        few = [int(c) for c in labels.unique() if int((labels == c).sum()) < 2]
        if few:
            raise UnsupportedError(f"{self.name} needs two samples of each class; {few[0]} has one")
        return _ByClass(labels.cpu(), target.discrete)


@dataclass(frozen=True, eq=False)
class _ByClass:
    labels: Tensor
    discrete: DiscreteData
    kept: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        from bench_plugins.metrics.extractors import extractor  # imports torchvision: two seconds

        network = extractor("scorebench-mnist", batch.x.is_cuda)
        for images in self.discrete.quantise(batch.x).split(_CHUNK):
            self.kept.append(network(images)[0].cpu())

    def result(self) -> Sequence[Measurement]:
        from bench_plugins.metrics.extractors import extractor

        known, features = _reference(), torch.cat(self.kept)
        if known.record["extractor_sha256"] != extractor("scorebench-mnist", False).sha256:
            raise BenchError(
                "fd_mnist_class: the reference statistics belong to another extractor; reinstall "
                "the package"
            )
        found = list(self._distances(known, features))
        value = sum(distance for distance, _ in found) / len(found)
        errors = [error for _, error in found if error is not None]
        std_error = None
        if len(errors) == len(found):
            std_error = math.sqrt(sum(error**2 for error in errors)) / len(found)
        reference_n = int(known.tensors["n"].sum())
        return [
            Measurement(
                "fd_mnist_class",
                value,
                "1",
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


@lru_cache(maxsize=1)
def _reference() -> WeightsFile:
    return read_weights(Path(__file__).parent / "data" / "mnist_class_reference.safetensors")
