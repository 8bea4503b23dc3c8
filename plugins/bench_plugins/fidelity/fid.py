"""The Frechet inception distance, and the same in other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Measurement,
    Trial,
    Uncertainty,
    frechet_influence,
    paper,
    require,
)
from bench_plugins.fidelity.extractors import Features
from bench_plugins.fidelity.kinds import INCEPTION
from bench_plugins.fidelity.metric import FeatureAccumulator, ReferenceMetric
from bench_plugins.fidelity.papers import STEIN
from bench_plugins.fidelity.reference import Reference
from bench_plugins.fidelity.statistics import Collected, RunningMoments, pooled_layer


@dataclass(frozen=True)
class FrechetDistance(ReferenceMetric):
    """Frechet distance between Gaussians fitted to the features of samples and real images.

    Moments are streamed and the distance taken in float64. It is biased upwards for few samples:
    compare equal ``metric_n`` only (papers: 50,000). Its standard error is that of the samples
    only, to first order; with fewer of them than features it is up to a third too large.
    """

    reference: ClassVar[str] = "Heusel et al. 2017, arXiv:1706.08500, Eq. 6"
    bibtex: ClassVar[str] = paper("heusel2017gans")

    def start(self, trial: Trial) -> Accumulator:
        stream = self.stream(trial, at_least=2)
        real = self.real(trial, stream.extractor)
        kept = _Kept()
        return FeatureAccumulator(
            stream, kept, partial(self._result, kept, real, stream.extractor.device)
        )

    def _result(self, kept: _Kept, real: Reference, device: torch.device) -> Sequence[Measurement]:
        found, features = kept.moments.result(), kept.rows.result()
        value = real.distance(found)

        def influence() -> Tensor:
            # On the samples' device: eigenvectors in float64 take a CPU some seconds.
            known = (x.to(device) for x in (real.mean, found.covariance, real.factor))
            return frechet_influence(features, *known).cpu()

        error = Uncertainty.of(value, influence)
        number = Measurement(
            self.number_name(self.name),
            value,
            self.unit,
            found.count,
            error.std_error,
            evidence=error.evidence,
            note=error.note,
        )
        return [real.credit(number)]


@dataclass(frozen=True)
class _Kept:
    """Moments for the distance, and the features themselves for its error."""

    moments: RunningMoments = field(default_factory=RunningMoments)
    rows: Collected = field(default_factory=lambda: Collected(pooled_layer))

    def add(self, features: Features) -> None:
        self.moments.add(features)
        self.rows.add(features)


@dataclass(frozen=True)
class FrechetInception(FrechetDistance):
    """FID: Frechet distance in the 2048 features of TensorFlow's Inception-v3."""

    name: ClassVar[str] = "fid"
    title: ClassVar[str] = "FID"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.extractor == INCEPTION,
            f"FID means the features of {INCEPTION}; in others it is the metric `fd`",
        )


@dataclass(frozen=True)
class FrechetFeatures(FrechetDistance):
    """Frechet distance in the features of CLIP, DINOv2 or VGG-16; its name says which.

    ``fd_dinov2_vit_b_14`` and the like. Images are resized as torch-fidelity does.
    """

    name: ClassVar[str] = "fd"
    reference: ClassVar[str] = "Stein et al. 2023, arXiv:2306.04675"
    bibtex: ClassVar[str] = STEIN
    title: ClassVar[str] = "Frechet distance (CLIP, DINOv2 or VGG-16)"

    extractor: str = "dinov2-vit-b-14"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.extractor != INCEPTION, f"in the features of {INCEPTION} it is called `fid`")
