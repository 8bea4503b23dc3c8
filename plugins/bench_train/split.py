"""A labelled data set in two parts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from bench_train.data import IntegerData


@dataclass(frozen=True)
class Labelled:
    """Samples, uint8 (n, channels, height, width), and their labels, int64 (n,), if known."""

    samples: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class DataSplit:
    """A data set in two parts; the network never sees `test`."""

    name: str
    levels: int
    licence: str
    train: Labelled
    test: Labelled

    @property
    def training(self) -> IntegerData:
        """The training part, as the trainer takes it."""
        part = self.train
        return IntegerData(self.name, part.samples, self.levels, self.licence, part.labels)
