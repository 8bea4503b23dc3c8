"""The Inception score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from bench.api import Accumulator, Measurement, Role, Trial, require
from bench_plugins.fidelity.kinds import INCEPTION
from bench_plugins.fidelity.metric import FeatureAccumulator, FeatureMetric
from bench_plugins.fidelity.papers import INCEPTION_SCORE
from bench_plugins.fidelity.statistics import Collected, logits_layer


@dataclass(frozen=True)
class InceptionScore(FeatureMetric):
    """exp of the mean divergence between each sample's class distribution and that of all.

    The mean over splits of the shuffled samples, by torch-fidelity in float64, from logits without
    the last bias as in the authors' code; ``inception_score_std`` is the standard deviation over
    the splits, which is what papers print after the sign ±. It knows nothing of the real data, and
    means little for images that are unlike ImageNet's.

    Attributes:
        splits: number of splits.
        shuffle_seed: seed of the shuffle.
    """

    name: ClassVar[str] = "inception_score"
    reference: ClassVar[str] = "Salimans et al. 2016, arXiv:1606.03498, Section 4"
    bibtex: ClassVar[str] = INCEPTION_SCORE
    title: ClassVar[str] = "Inception score"
    larger_is_better: ClassVar[bool] = True

    splits: int = 10
    shuffle_seed: int = 2020

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.extractor == INCEPTION, f"the classes are those of {INCEPTION}, and no others")
        require(1 <= self.splits <= 100_000, "splits must be between 1 and 100000")
        require(0 <= self.shuffle_seed < 2**32, "shuffle_seed must be between 0 and 2^32 - 1")

    def start(self, trial: Trial) -> Accumulator:
        stream = self.stream(trial, at_least=self.splits)
        rows = Collected(logits_layer)
        return FeatureAccumulator(stream, rows, partial(self._result, rows, self.identity()))

    def _result(self, rows: Collected, digest: str) -> Sequence[Measurement]:
        from torch_fidelity.metric_isc import (
            KEY_METRIC_ISC_MEAN,
            KEY_METRIC_ISC_STD,
            isc_features_to_metric,
        )

        samples = rows.result()
        found = isc_features_to_metric(samples, self.splits, True, self.shuffle_seed)
        mean, std = found[KEY_METRIC_ISC_MEAN], found[KEY_METRIC_ISC_STD]
        # The splits are disjoint: the error of their mean is their deviation over the root.
        error = std / math.sqrt(self.splits - 1) if self.splits > 1 else None
        n = len(samples)
        return [
            Measurement(self.name, mean, self.unit, n, error, reference=digest),
            Measurement(
                f"{self.name}_std",
                std,
                self.unit,
                n,
                reference=digest,
                role=Role.DIAGNOSTIC,
                belongs_to=self.name,
            ),
        ]
