"""From a labelled data set to a feature extractor with reference statistics, on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch

from bench.api import FeatureNetwork, TrainableClassifier, TrainingRecord, write_weights
from bench_train.classifier import (
    ClassifierTraining,
    accuracy,
    feature_statistics,
    train_classifier,
)
from bench_train.data import IntegerData
from bench_train.options.choices import ReferencePart
from bench_train.split import DataSplit


@dataclass(frozen=True)
class Extractor:
    """The files written, the accuracy on the test part, the samples behind the statistics."""

    weights: Path
    statistics: Path
    accuracy: float
    n: int


@dataclass(frozen=True)
class ExtractorRecipe:
    """A feature extractor, ready to be trained.

    Attributes:
        split: data with labels.
        network: the classifier.
        part: samples behind the reference statistics.
        command: the command line, for the record of the weights.
    """

    split: DataSplit
    network: TrainableClassifier
    training: ClassifierTraining
    part: ReferencePart
    command: str

    def make(self, out: Path, report: Callable[[int, float], None]) -> Extractor:
        """Train, measure and write `<name>_classifier` and `<name>_reference` .safetensors.

        Args:
            report: called with the epoch and its loss.

        Raises:
            BenchError: the data have no labels, or a file cannot be written.
        """
        split = self.split
        with torch.random.fork_rng():
            torch.manual_seed(self.training.seed)
            network = self.network.build(tuple(split.train.samples.shape[1:]), split.levels)
        train_classifier(network, split, self.training, report)
        reached = accuracy(network, split.test, split.name)
        weights = out / f"{split.name}_classifier.safetensors"
        self.network.save(weights, network, self._record(reached))
        statistics = out / f"{split.name}_reference.safetensors"
        n = self._write_statistics(statistics, weights, cast(FeatureNetwork, network))
        return Extractor(weights, statistics, reached, n)

    def _record(self, reached: float) -> TrainingRecord:
        split, training = self.split, self.training
        return TrainingRecord(
            s_range=(0.0, 0.0),
            data=split.name,
            levels=split.levels,
            data_sha256=split.training.digest,
            images=training.epochs * len(split.train.samples),
            recipe={"command": self.command, "test_accuracy": reached, **asdict(training)},
            licence=split.licence,
        )

    def _write_statistics(self, path: Path, weights: Path, network: FeatureNetwork) -> int:
        """Write float64 tensors `mean` (d,) and `covariance` (d, d); return the samples' number."""
        reference = self._reference()
        statistics = feature_statistics(network.features, reference.samples)
        record = {
            "n": statistics.n,
            "data": self.split.name,
            "part": self.part.value,
            "data_sha256": reference.digest,
            "extractor_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
            "licence": self.split.licence,
        }
        tensors = {"mean": statistics.mean, "covariance": statistics.covariance}
        write_weights(path, tensors, record)
        return statistics.n

    def _reference(self) -> IntegerData:
        split = self.split
        if self.part is ReferencePart.TRAIN:
            return split.training
        samples = torch.cat([split.train.samples, split.test.samples])
        return IntegerData(split.name, samples, split.levels, split.licence)
