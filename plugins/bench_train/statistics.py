"""Moments of features: the references of Frechet distances."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from bench.api import BenchError, FeatureNetwork, write_weights
from bench_train.data import TrainingData
from bench_train.options.choices import ReferencePart


@dataclass(frozen=True)
class FeatureStatistics:
    """Moments of features: mean (d,) and covariance (d, d), float64, over n samples."""

    mean: Tensor
    covariance: Tensor
    n: int


@torch.inference_mode()
def feature_statistics(
    features: Callable[[Tensor], Tensor], samples: Tensor, batch: int = 500
) -> FeatureStatistics:
    """Mean and covariance (divisor n - 1) of `features` over uint8 `samples`, in float64."""
    rows = torch.cat([features(images).double() for images in samples.split(batch)])
    return FeatureStatistics(rows.mean(dim=0), torch.cov(rows.T), len(rows))


def write_statistics(
    path: Path, weights: Path, network: FeatureNetwork, data: TrainingData, part: ReferencePart
) -> int:
    """Write float64 tensors `mean` (d,) and `covariance` (d, d); return the number of samples.

    Args:
        weights: the file of ``network``, whose digest is recorded.
        part: what ``data`` are of their data set.
    """
    statistics = feature_statistics(network.features, data.samples)
    record = _record(weights, data, part) | {"n": statistics.n}
    tensors = {"mean": statistics.mean, "covariance": statistics.covariance}
    write_weights(path, tensors, record)
    return statistics.n


def write_class_statistics(
    path: Path, weights: Path, network: FeatureNetwork, data: TrainingData, part: ReferencePart
) -> None:
    """Write the moments of each class: `mean` (classes, d), `covariance` (classes, d, d), `n`.

    Moments are float32, whose rounding is far below what their number of samples leaves open;
    `n` is int64, (classes,). Arguments as of `write_statistics`.

    Raises:
        BenchError: the data have no labels, or a class has less than two samples.
    """
    if data.labels is None:
        raise BenchError(f"data '{data.name}' have no labels; add y_train and y_test")
    parts = [data.samples[data.labels == label] for label in range(data.classes)]
    for label, samples in enumerate(parts):
        if len(samples) < 2:
            raise BenchError(f"data '{data.name}': class {label} has {len(samples)} samples; add")
    found = [feature_statistics(network.features, samples) for samples in parts]
    tensors = {
        "mean": torch.stack([item.mean for item in found]).float(),
        "covariance": torch.stack([item.covariance for item in found]).float(),
        "n": torch.tensor([item.n for item in found]),
    }
    write_weights(path, tensors, _record(weights, data, part))


def _record(weights: Path, data: TrainingData, part: ReferencePart) -> dict[str, object]:
    return {
        "data": data.name,
        "part": part.value,
        "data_sha256": data.digest,
        "extractor_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "licence": data.licence,
    }
