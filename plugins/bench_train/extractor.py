"""From a labelled data set to a feature extractor with reference statistics, on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from bench.api import FeatureNetwork, TrainableClassifier, TrainingRecord
from bench_train.classifier import (
    ClassifierTraining,
    accuracy,
    require_labels,
    train_classifier,
)
from bench_train.data import TrainingData
from bench_train.options.choices import ReferencePart
from bench_train.split import DataSplit
from bench_train.statistics import write_class_statistics, write_statistics


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
        """Train, measure and write three .safetensors files.

        They are `<name>_classifier`, `<name>_reference` and `<name>_class_reference`.

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
        features, reference = cast(FeatureNetwork, network), self._reference()
        n = write_statistics(statistics, weights, features, reference, self.part)
        of_classes = out / f"{split.name}_class_reference.safetensors"
        write_class_statistics(of_classes, weights, features, reference, self.part)
        return Extractor(weights, statistics, reached, n)

    def _record(self, reached: float) -> TrainingRecord:
        split, training = self.split, self.training
        return TrainingRecord(
            s_range=(0.0, 0.0),
            data=split.name,
            levels=split.levels,
            data_sha256=split.training.digest,
            images=training.epochs * len(split.train.samples),
            recipe={"command": self.command, "test_accuracy": reached, **training.record},
            licence=split.licence,
        )

    def _reference(self) -> TrainingData:
        split = self.split
        if self.part is ReferencePart.TRAIN:
            return split.training
        samples = torch.cat([split.train.samples, split.test.samples])
        parts = (require_labels(part, split.name)[1] for part in (split.train, split.test))
        labels = torch.cat(list(parts))
        return TrainingData(split.name, samples, split.levels, split.licence, labels)
