"""Feature extractors: training, statistics, augmentation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from bench.api import BenchError, read_weights
from bench_plugins.metrics.classifier import (
    Classifier,
    ClassifierConfig,
    SmallClassifier,
    load_classifier,
)
from bench_train.classifier import (
    ClassifierTraining,
    _shift,
    accuracy,
    train_classifier,
)
from bench_train.data import generator_of
from bench_train.extractor import ExtractorRecipe
from bench_train.options.choices import ReferencePart
from bench_train.sources import digits
from bench_train.statistics import feature_statistics


def test_two_epochs_teach_digits() -> None:
    torch.manual_seed(0)
    split = digits()
    classifier = Classifier(ClassifierConfig(8, 17, (8, 16)))
    losses: list[float] = []
    config = ClassifierTraining(epochs=3, batch=50, shift=0)
    train_classifier(classifier, split, config, lambda _, loss: losses.append(loss))
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert accuracy(classifier, split.test, split.name) > 0.9


def test_statistics_are_mean_and_covariance() -> None:
    samples = torch.randint(0, 255, (40, 1, 2, 2), dtype=torch.uint8)

    def features(images: Tensor) -> Tensor:
        return images.flatten(1).float()

    statistics = feature_statistics(features, samples, batch=7)
    rows = samples.flatten(1).numpy().astype(np.float64)
    np.testing.assert_allclose(statistics.mean.numpy(), rows.mean(axis=0))
    np.testing.assert_allclose(statistics.covariance.numpy(), np.cov(rows.T))
    assert statistics.n == 40
    assert statistics.mean.dtype is torch.float64


def test_shifts_move_whole_images() -> None:
    image = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    image[0, 0, 2, 2] = 7
    shifted = _shift(image.expand(60, 1, 5, 5), 1, generator_of(0))
    assert shifted.shape == (60, 1, 5, 5)
    where = {tuple(place) for place in shifted.nonzero()[:, 2:].tolist()}
    assert where == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}
    assert shifted.sum(dim=(1, 2, 3)).tolist() == [7] * 60


def test_no_shift_is_no_change() -> None:
    images = torch.randint(0, 255, (4, 1, 5, 5), dtype=torch.uint8)
    assert torch.equal(_shift(images, 0, generator_of(0)), images)


def test_extractor_files_belong_together(tmp_path: Path) -> None:
    made = ExtractorRecipe(
        digits(),
        SmallClassifier((4, 8)),
        ClassifierTraining(epochs=1, batch=100, shift=1),
        ReferencePart.ALL,
        "bench train-classifier",
    ).make(tmp_path, lambda epoch, loss: None)
    network, _ = load_classifier(made.weights)
    assert isinstance(network, Classifier)
    assert read_weights(made.weights).record["recipe"]["test_accuracy"] == made.accuracy
    statistics = load_file(made.statistics)
    assert made.n == 1797
    assert statistics["mean"].shape == (64,)
    assert statistics["covariance"].shape == (64, 64)
    assert statistics["covariance"].dtype is torch.float64


def test_labels_are_needed() -> None:
    split = digits()
    unlabelled = replace(split, train=replace(split.train, labels=None))
    with pytest.raises(BenchError, match="have no labels"):
        train_classifier(Classifier(ClassifierConfig(8)), unlabelled, ClassifierTraining())
