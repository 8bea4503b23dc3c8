"""From a labelled data set to a feature extractor with reference statistics, on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from bench_plugins.models.networks.classifier import Classifier, ClassifierConfig
from bench_plugins.models.networks.metadata import Metadata
from bench_plugins.models.networks.storing import save_network
from bench_train.classifier import (
    ClassifierTraining,
    accuracy,
    feature_statistics,
    train_classifier,
)
from bench_train.data import IntegerData
from bench_train.options import ReferencePart
from bench_train.sources import DataSplit
from bench_train.statistics import StatisticsRecord, save_statistics


@dataclass(frozen=True)
class Extractor:
    """The files written, the accuracy on the test part, the samples behind the statistics."""

    weights: Path
    statistics: Path
    accuracy: float
    n: int


def make_extractor(
    split: DataSplit,
    training: ClassifierTraining,
    widths: tuple[int, ...],
    part: ReferencePart,
    out: Path,
    command: str,
    report: Callable[[int, float], None],
) -> Extractor:
    """Trains, measures and writes `<name>_classifier` and `<name>_reference` .safetensors."""
    config = ClassifierConfig(split.train.samples.shape[-1], split.levels, widths)
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        classifier = Classifier(config)
    train_classifier(classifier, split, training, report)
    reached = accuracy(classifier, split.test, split.name)
    weights = out / f"{split.name}_classifier.safetensors"
    save_network(weights, classifier, _metadata(split, config, training, reached, command))
    reference = _reference(split, part)
    statistics = feature_statistics(classifier.features, reference.samples)
    record = StatisticsRecord(
        n=statistics.n,
        data=split.name,
        part=part.value,
        data_sha256=reference.digest,
        extractor_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        licence=split.licence,
    )
    path = out / f"{split.name}_reference.safetensors"
    save_statistics(path, statistics, record)
    return Extractor(weights, path, reached, statistics.n)


def _reference(split: DataSplit, part: ReferencePart) -> IntegerData:
    if part is ReferencePart.TRAIN:
        return split.training
    samples = torch.cat([split.train.samples, split.test.samples])
    return IntegerData(split.name, samples, split.levels, split.licence)


def _metadata(
    split: DataSplit,
    config: ClassifierConfig,
    training: ClassifierTraining,
    reached: float,
    command: str,
) -> Metadata:
    return Metadata(
        network=config,
        preconditioning=None,
        s_range=(0.0, 0.0),
        data=split.name,
        levels=split.levels,
        data_sha256=split.training.digest,
        images=training.epochs * len(split.train.samples),
        recipe={"command": command, "test_accuracy": reached, **asdict(training)},
        licence=split.licence,
    )
