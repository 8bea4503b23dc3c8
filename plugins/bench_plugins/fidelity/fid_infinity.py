"""Frechet distances without their bias of few samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.api import Accumulator, Measurement, Moments, Trial, require
from bench_plugins.fidelity.kinds import INCEPTION
from bench_plugins.fidelity.metric import FeatureAccumulator, ReferenceMetric
from bench_plugins.fidelity.papers import FID_INFINITY
from bench_plugins.fidelity.reference import Reference
from bench_plugins.fidelity.statistics import Collected, pooled_layer


@dataclass(frozen=True)
class InfiniteSamples(ReferenceMetric):
    """The distance of infinitely many samples: over 1/n it is a line, of which this is the end.

    The samples are shuffled; the distance is taken of the first n of them at evenly spaced n, and a
    line fitted by least squares. Where it has not begun to be linear (n below the number of
    features) the figure means nothing. The bias of the reference, whose size is finite too, stays.

    Attributes:
        points: how many n.
        smallest: the smallest n; there must be more samples.
        shuffle_seed: seed of the shuffle.
    """

    reference: ClassVar[str] = "Chong and Forsyth 2020, arXiv:1911.07023, Section 4"
    bibtex: ClassVar[str] = FID_INFINITY

    points: int = 15
    smallest: int = 5000
    shuffle_seed: int = 2020

    def __post_init__(self) -> None:
        super().__post_init__()
        require(2 <= self.points <= 1000, "points must be between 2 and 1000")
        require(self.smallest >= 2, "smallest must be >= 2")
        require(0 <= self.shuffle_seed < 2**32, "shuffle_seed must be between 0 and 2^32 - 1")

    def start(self, trial: Trial) -> Accumulator:
        stream = self.stream(trial, at_least=self.smallest + self.points - 1)
        real = self.real(trial, stream.extractor)
        rows = Collected(pooled_layer)
        return FeatureAccumulator(stream, rows, partial(self._result, rows, real))

    def _result(self, rows: Collected, real: Reference) -> Sequence[Measurement]:
        features = rows.result()
        order = np.random.default_rng(self.shuffle_seed).permutation(len(features))
        counts = np.linspace(self.smallest, len(features), self.points).astype(int).tolist()
        distances = _distances(features[torch.from_numpy(order)], counts, real)
        value = intercept(counts, distances)
        name = self.number_name(self.name)
        return [real.credit(Measurement(name, value, self.unit, len(features)))]


@dataclass(frozen=True)
class FrechetInfinity(InfiniteSamples):
    """FID of infinitely many samples: FID over 1/n is a line, and this is where n is infinite.

    FID is taken of the first n of the shuffled samples at evenly spaced n. Where it has not begun
    to be linear (n below the 2048 features) the figure means nothing. The bias of the reference,
    whose size is finite too, stays.
    """

    name: ClassVar[str] = "fid_infinity"
    title: ClassVar[str] = "FID, extrapolated to infinitely many samples"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.extractor == INCEPTION,
            f"FID means the features of {INCEPTION}; in others it is the metric `fd_infinity`",
        )


@dataclass(frozen=True)
class FeaturesInfinity(InfiniteSamples):
    """The metric `fd` of infinitely many samples: over 1/n it is a line, of which this is the end.

    It is taken of the first n of the shuffled samples at evenly spaced n, and called
    ``fd_infinity_dinov2_vit_b_14`` and the like.
    """

    name: ClassVar[str] = "fd_infinity"
    title: ClassVar[str] = "Frechet distance, extrapolated to infinitely many samples"

    extractor: str = "dinov2-vit-b-14"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.extractor != INCEPTION,
            f"in the features of {INCEPTION} it is called `fid_infinity`",
        )


def _distances(features: Tensor, counts: Sequence[int], real: Reference) -> list[float]:
    """The distance of the first n features, for each n of ``counts`` (rising)."""
    moments = Moments.of(features[: counts[0]])
    found = [real.distance(moments)]
    for before, count in pairwise(counts):
        moments = moments.merge(Moments.of(features[before:count]))
        found.append(real.distance(moments))
    return found


def intercept(counts: Sequence[int], distances: Sequence[float]) -> float:
    """Value at 1/n = 0 of the least-squares line through ``distances`` over 1/n."""
    line = np.polynomial.Polynomial.fit(1 / np.asarray(counts, dtype=float), distances, 1)
    return float(line(0.0))
