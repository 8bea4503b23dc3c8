"""A labelled data set in two parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from bench_train.data import TrainingData


@dataclass(frozen=True)
class Labelled:
    """Samples, and their labels, int64 (n,), if known.

    Samples are uint8, (n, channels, height, width), or float32, (n, d).
    """

    samples: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class DataSplit:
    """A data set in two parts; the network never sees `test`. Its fields are `TrainingData`'s."""

    name: str
    levels: int
    licence: str
    train: Labelled
    test: Labelled
    source: Mapping[str, Any] | None = None

    @property
    def training(self) -> TrainingData:
        """The training part, as the trainer takes it."""
        part = self.train
        return TrainingData(
            self.name, part.samples, self.levels, self.licence, part.labels, self.source
        )
