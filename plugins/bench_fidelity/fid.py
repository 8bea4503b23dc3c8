"""The Frechet inception distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from bench.api import Accumulator, Measurement, Trial
from bench_fidelity.metric import FeatureAccumulator, ReferenceMetric
from bench_fidelity.reference import Reference
from bench_fidelity.statistics import RunningMoments


@dataclass(frozen=True)
class FrechetDistance(ReferenceMetric):
    """Frechet distance between Gaussians fitted to the features of samples and real images.

    Moments are streamed and the distance taken in float64. It is biased upwards for few samples:
    compare equal ``metric_n`` only (papers: 50,000).
    """

    reference: ClassVar[str] = "Heusel et al. 2017, arXiv:1706.08500, Eq. 6"

    def start(self, trial: Trial) -> Accumulator:
        stream = self.stream(trial, at_least=2)
        real = self.real(trial, stream.extractor)
        moments = RunningMoments()
        return FeatureAccumulator(stream, moments, partial(self._result, moments, real))

    def _result(self, moments: RunningMoments, real: Reference) -> Sequence[Measurement]:
        found = moments.result()
        value = real.distance(found)
        return [Measurement(self.name, value, self.unit, found.count, reference=real.digest)]


@dataclass(frozen=True)
class FrechetInception(FrechetDistance):
    """FID: Frechet distance in the 2048 features of TensorFlow's Inception-v3."""

    name: ClassVar[str] = "fid"
    title: ClassVar[str] = "FID"
