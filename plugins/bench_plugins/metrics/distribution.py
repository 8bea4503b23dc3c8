"""Distances between samples and fresh exact samples of a closed-form distribution."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    Measurement,
    NoiseStream,
    SampleMetric,
    ScoreModel,
    Trial,
    UnsupportedError,
    per_model,
    require,
)
from bench_plugins.metrics.papers import BARYCENTERS, ENERGY_DISTANCE, SLICED_WASSERSTEIN


@dataclass(frozen=True, eq=False)
class Reference:
    """The part of the exact samples that a metric has to know.

    Attributes:
        known: a tensor, such as their quantiles along some axes.
        within: the mean distance between two of them, where that counts.
    """

    known: Tensor
    within: float = 0.0

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        return self.known.nbytes


@dataclass(frozen=True)
class _Collected:
    """Keeps all samples and compares them with fresh exact ones at the end."""

    metric: _ExactSampleMetric
    reference: Reference
    batches: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.batches.append(batch.x.flatten(1).double().cpu())

    def result(self) -> Sequence[Measurement]:
        samples, metric = torch.cat(self.batches), self.metric
        value, n = metric.distance(samples, self.reference), len(samples)
        known = metric.reference_samples
        return [Measurement(metric.name, value, metric.unit, n, reference_n=known)]


@dataclass(frozen=True)
class _ExactSampleMetric(SampleMetric):
    """A distance between two samples; the second is drawn from the exact distribution.

    Attributes:
        reference_samples: number of exact samples.
    """

    reference_samples: int = 10_000

    def __post_init__(self) -> None:
        require(self.reference_samples >= 2, "reference_samples must be >= 2")

    def start(self, trial: Trial) -> Accumulator:
        exact = trial.model.target.exact
        if exact is None:
            raise UnsupportedError(f"{self.name} needs a model with a closed-form distribution")
        return _Collected(self, _reference(trial.model, self, trial.draw.seed))

    @abstractmethod
    def prepare(self, exact: Tensor) -> Reference:
        """The part of the exact samples, shape (m, d) and float64, that `distance` needs."""

    @abstractmethod
    def distance(self, samples: Tensor, reference: Reference) -> float:
        """The distance of samples of shape (n, d), float64."""


@per_model
def _reference(model: ScoreModel, metric: _ExactSampleMetric, seed: int) -> Reference:
    exact = model.target.exact
    assert exact is not None  # the metric has refused other models
    # Another seed than the sampler's, so that the reference shares nothing with the samples.
    return metric.prepare(exact.sample(metric.reference_samples, seed + 2**32).flatten(1))


@dataclass(frozen=True)
class SlicedWasserstein(_ExactSampleMetric):
    """Sliced Wasserstein-1 distance: the mean of 1-D distances over random directions.

    Attributes:
        directions: number of directions (in one dimension there is only one).
    """

    name: ClassVar[str] = "swd"
    reference: ClassVar[str] = "Rabin et al. 2011; Bonneel et al. 2015"
    bibtex: ClassVar[str] = BARYCENTERS + SLICED_WASSERSTEIN
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "sliced Wasserstein distance"

    directions: int = 128

    def __post_init__(self) -> None:
        require(self.reference_samples >= 2, "reference_samples must be >= 2")
        require(self.directions >= 1, "directions must be >= 1")

    def prepare(self, exact: Tensor) -> Reference:
        axes = directions(self.directions, exact.shape[1])
        return Reference(quantiles((exact @ axes.T).T))

    def distance(self, samples: Tensor, reference: Reference) -> float:
        axes = directions(self.directions, samples.shape[1])
        return mean_quantile_gap(samples, reference.known, axes)


def directions(count: int, dimension: int) -> Tensor:
    """``count`` random unit vectors, the same each time, (count, dimension), float64."""
    axes = NoiseStream(0, "probe", 0, count, (dimension,), torch.float64).normal()
    length: Tensor = axes.norm(dim=1, keepdim=True)
    return axes / length


def mean_quantile_gap(samples: Tensor, reference: Tensor, axes: Tensor) -> float:
    """Sliced Wasserstein-1 distance of ``samples`` (n, d) to what has the quantiles ``reference``.

    Args:
        samples: float64.
        reference: ``quantiles`` of the other sample along each axis.
        axes: unit vectors, (k, d).
    """
    return float((quantiles((samples @ axes.T).T) - reference).abs().mean())


def quantiles(values: Tensor, count: int = 2000) -> Tensor:
    """Quantile function of each row at ``count`` midpoints, (rows, count), linear between."""
    ordered = values.sort(dim=1).values
    n = ordered.shape[1]
    at = ((torch.arange(count, dtype=torch.float64) + 0.5) / count * n - 0.5).clamp(0, n - 1)
    low = at.floor().long()
    high = (low + 1).clamp_max(n - 1)
    return torch.lerp(ordered[:, low], ordered[:, high], at - low)


@dataclass(frozen=True)
class EnergyDistance(_ExactSampleMetric):
    """Energy distance (2 E|X-Y| - E|X-X'| - E|Y-Y'|)^(1/2) of the two samples.

    Means run over all pairs (the V-statistic), so that it is never negative; like every distance
    between samples it has a floor that falls with n, so compare equal n.
    """

    name: ClassVar[str] = "energy_distance"
    reference: ClassVar[str] = "Szekely and Rizzo 2013, J. Stat. Plan. Inference 143"
    bibtex: ClassVar[str] = ENERGY_DISTANCE
    unit: ClassVar[str] = "data units^(1/2)"
    title: ClassVar[str] = "energy distance"

    reference_samples: int = 4000

    def prepare(self, exact: Tensor) -> Reference:
        return Reference(exact, float(torch.cdist(exact, exact).mean()))

    def distance(self, samples: Tensor, reference: Reference) -> float:
        across = torch.cdist(samples, reference.known).mean()
        within = torch.cdist(samples, samples).mean() + reference.within
        square = 2 * across - within
        return math.sqrt(max(float(square), 0.0))
