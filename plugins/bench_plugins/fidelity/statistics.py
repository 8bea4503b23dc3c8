"""Moments in float64, or all rows, of a stream of features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.api import Moments
from bench_plugins.fidelity.extractors import Features

_BLOCK = 512  # rows of one merge: fixed, and large enough for the (d, d) sums to cost little


@dataclass
class RunningMoments:
    """Moments of all features so far, merged in float64 by blocks of fixed size."""

    _moments: Moments | None = None
    _rows: list[Tensor] = field(default_factory=list)

    def add(self, features: Features) -> None:
        """Take in the features of some samples."""
        self._rows.append(features.pooled)
        if sum(map(len, self._rows)) >= _BLOCK:
            *blocks, rest = torch.cat(self._rows).split(_BLOCK)
            if len(rest) == _BLOCK:
                blocks, rest = [*blocks, rest], rest[:0]
            for block in blocks:
                self._merge(block)
            self._rows[:] = [rest] if len(rest) else []

    def result(self) -> Moments:
        """The moments of all, in main memory."""
        if self._rows:
            self._merge(torch.cat(self._rows))
            self._rows.clear()
        assert self._moments is not None
        known = self._moments
        return Moments(known.count, known.mean.cpu(), known.scatter.cpu())

    def _merge(self, block: Tensor) -> None:
        moments = Moments.of(block)
        self._moments = moments if self._moments is None else self._moments.merge(moments)


@dataclass
class Collected:
    """One layer of all features, in main memory.

    Attributes:
        layer: picks it.
    """

    layer: Callable[[Features], Tensor]
    _rows: list[Tensor] = field(default_factory=list)

    def add(self, features: Features) -> None:
        """Take in the features of some samples."""
        self._rows.append(self.layer(features.host))

    def result(self) -> Tensor:
        """All rows, float32, (n, d)."""
        return torch.cat(self._rows)


def pooled_layer(features: Features) -> Tensor:
    """The features before the last layer."""
    return features.pooled


def logits_layer(features: Features) -> Tensor:
    """The logits."""
    return features.logits
