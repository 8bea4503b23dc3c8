"""The kernel inception distance, and the same in other features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor

from bench.api import Accumulator, Measurement, Role, Trial, UnsupportedError, require
from bench_plugins.fidelity.kinds import INCEPTION
from bench_plugins.fidelity.metric import FeatureAccumulator, ReferenceMetric
from bench_plugins.fidelity.papers import KID
from bench_plugins.fidelity.reference import Reference
from bench_plugins.fidelity.statistics import Collected, pooled_layer


@dataclass(frozen=True)
class KernelDistance(ReferenceMetric):
    """Unbiased squared MMD with the kernel (x y / d + 1)^3 of the features.

    The mean over random subsets, by torch-fidelity in float64, and the standard deviation over the
    subsets, which is what papers print after the sign ±. Unbiased: figures of different n may be
    compared, and small ones may be negative.

    Attributes:
        subsets: number of subsets.
        subset_size: samples and real images in each.
        subset_seed: seed of their choice.
    """

    reference: ClassVar[str] = "Binkowski et al. 2018, arXiv:1801.01401, Section 4"
    bibtex: ClassVar[str] = KID

    subsets: int = 100
    subset_size: int = 1000
    subset_seed: int = 2020

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.subsets <= 100_000, "subsets must be between 1 and 100000")
        require(2 <= self.subset_size <= 50_000, "subset_size must be between 2 and 50000")
        require(0 <= self.subset_seed < 2**32, "subset_seed must be between 0 and 2^32 - 1")

    def start(self, trial: Trial) -> Accumulator:
        stream = self.stream(trial, at_least=self.subset_size)
        real = self.real(trial, stream.extractor)
        known = self.real_features(real)
        if len(known) < self.subset_size:
            raise UnsupportedError(
                f"{self.name} takes subsets of {self.subset_size} real images, and there are "
                f"{len(known)}; lower subset_size"
            )
        rows = Collected(pooled_layer)
        return FeatureAccumulator(stream, rows, partial(self._result, rows, known, real))

    def _result(self, rows: Collected, known: Tensor, real: Reference) -> Sequence[Measurement]:
        from torch_fidelity.metric_kid import (
            KEY_METRIC_KID_MEAN,
            KEY_METRIC_KID_STD,
            kid_features_to_metric,
        )

        samples = rows.result()
        found = kid_features_to_metric(
            samples.double(),
            known.double(),
            kid_subsets=self.subsets,
            kid_subset_size=self.subset_size,
            rng_seed=self.subset_seed,
            verbose=False,
        )
        mean, std = found[KEY_METRIC_KID_MEAN], found[KEY_METRIC_KID_STD]
        name = self.number_name(self.name)
        n = len(samples)
        return [
            real.credit(Measurement(name, mean, self.unit, n)),
            real.credit(
                Measurement(f"{name}_std", std, self.unit, n, role=Role.DIAGNOSTIC, belongs_to=name)
            ),
        ]


@dataclass(frozen=True)
class KernelInception(KernelDistance):
    """KID: unbiased squared MMD with the kernel (x y / d + 1)^3 in Inception-v3's features.

    The mean over random subsets, by torch-fidelity in float64; ``kid_std`` is the standard
    deviation over the subsets, which is what papers print after the sign ±. Unbiased: figures of
    different n may be compared, and small ones may be negative.
    """

    name: ClassVar[str] = "kid"
    title: ClassVar[str] = "KID"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.extractor == INCEPTION,
            f"KID means the features of {INCEPTION}; in others it is the metric `kd`",
        )


@dataclass(frozen=True)
class KernelFeatures(KernelDistance):
    """KID's distance in the features of CLIP, DINOv2 or VGG-16; its name says which.

    ``kd_dinov2_vit_b_14`` and ``kd_dinov2_vit_b_14_std``, and the like.
    """

    name: ClassVar[str] = "kd"
    title: ClassVar[str] = "kernel distance (CLIP, DINOv2 or VGG-16)"

    extractor: str = "dinov2-vit-b-14"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.extractor != INCEPTION, f"in the features of {INCEPTION} it is called `kid`")
