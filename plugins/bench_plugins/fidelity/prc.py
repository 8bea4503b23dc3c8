"""Precision and recall of generated images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Accumulator, Measurement, Trial, UnsupportedError, paper, require
from bench_plugins.fidelity.metric import FeatureAccumulator, ReferenceMetric
from bench_plugins.fidelity.reference import Reference
from bench_plugins.fidelity.statistics import Collected, pooled_layer


@dataclass(frozen=True)
class PrecisionRecall(ReferenceMetric):
    """Share of samples among the real images (precision), and of these among samples (recall).

    Among: inside of the ball around one of them that reaches to its k-th neighbour of the same
    kind. By torch-fidelity, in Inception-v3's features unless another ``extractor`` is named (ADM's
    evaluator takes them; the paper takes VGG-16: ``precision_vgg16``, ``recall_vgg16``). It depends
    on the numbers of samples and of real images: compare equal ones only.

    Attributes:
        neighbours: k.
    """

    name: ClassVar[str] = "prc"
    reference: ClassVar[str] = "Kynkaanniemi et al. 2019, arXiv:1904.06991, Algorithm 1"
    bibtex: ClassVar[str] = paper("kynkaanniemi2019improved")
    title: ClassVar[str] = "precision and recall"
    larger_is_better: ClassVar[bool] = True

    neighbours: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.neighbours <= 1000, "neighbours must be between 1 and 1000")

    def start(self, trial: Trial) -> Accumulator:
        stream = self.stream(trial, at_least=self.neighbours + 1)
        real = self.real(trial, stream.extractor)
        known = self.real_features(real)
        if len(known) <= self.neighbours:
            raise UnsupportedError(
                f"prc needs more than {self.neighbours} real images, and there are {len(known)}"
            )
        rows = Collected(pooled_layer)
        finish = partial(self._result, rows, known, stream.extractor.device, real)
        return FeatureAccumulator(stream, rows, finish)

    def _result(
        self, rows: Collected, known: Tensor, device: torch.device, real: Reference
    ) -> Sequence[Measurement]:
        from torch_fidelity.metric_prc import (
            KEY_METRIC_F_SCORE,
            KEY_METRIC_PRECISION,
            KEY_METRIC_RECALL,
            prc_features_to_metric,
        )

        samples = rows.result().to(device)
        found = prc_features_to_metric(
            samples,
            known.to(samples),
            prc_neighborhood=self.neighbours,
            save_cpu_ram=True,  # else three matrices of all distances: 30 GB for 50,000
            verbose=False,
        )
        keys = {
            "precision": KEY_METRIC_PRECISION,
            "recall": KEY_METRIC_RECALL,
            "f_score": KEY_METRIC_F_SCORE,
        }
        return [
            real.credit(
                Measurement(self.number_name(name), float(found[key]), self.unit, len(samples))
            )
            for name, key in keys.items()
        ]
