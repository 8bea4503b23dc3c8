"""Precision, recall, density and coverage of samples against exact ones, in the sample space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    ExactDistribution,
    Measurement,
    Role,
    SampleMetric,
    ScoreModel,
    Trial,
    Uncertainty,
    UnsupportedError,
    paper,
    require,
)
from bench_plugins.metrics.neighbours import Fidelity, expected_coverage, fidelity
from bench_plugins.metrics.papers import RELIABLE_FIDELITY

_REAL, _CONTROL = 2**33, 2**33 + 1
"""Seeds of the real points and of a second exact sample: the same for all cells."""


@dataclass(frozen=True)
class PointFidelity(SampleMetric):
    """Precision, recall, density and coverage against exact samples, by balls to neighbour k.

    ``precision_points`` and ``recall_points``, with the values that exact samples of the same
    number have; ``coverage_points``, with its mean over exact samples in closed form; and
    ``density_points``, which exact samples have 1 of on average and crowded ones more, so that it
    is not ranked. Distances are Euclidean in the sample space, so this is for few dimensions. All
    depend on the number of samples and of exact ones: compare equal ones only. The exact samples
    are the same for all cells and seeds, and standard errors are given them (the jackknife's).

    Attributes:
        neighbours: k.
        reference_samples: number of exact samples.
    """

    name: ClassVar[str] = "prdc_points"
    reference: ClassVar[str] = (
        "Kynkaanniemi et al. 2019, arXiv:1904.06991, Eq. 1 to 3; "
        "Naeem et al. 2020, arXiv:2002.09797, Eq. 3 to 6 and 11"
    )
    bibtex: ClassVar[str] = paper("kynkaanniemi2019improved") + RELIABLE_FIDELITY
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "precision, recall and coverage of points"
    larger_is_better: ClassVar[bool] = True

    neighbours: int = 5
    reference_samples: int = 4000

    def __post_init__(self) -> None:
        require(1 <= self.neighbours <= 1000, "neighbours must lie in 1..1000")
        require(
            self.neighbours + 2 <= self.reference_samples <= 1_000_000,
            "reference_samples must lie in neighbours + 2..1000000",
        )

    def start(self, trial: Trial) -> Accumulator:
        exact, n = trial.model.target.exact, trial.draw.samples
        if exact is None:
            raise UnsupportedError(f"{self.name} needs a model with a closed-form distribution")
        if n < self.neighbours + 2:
            raise UnsupportedError(
                f"{self.name} needs {self.neighbours + 2} samples for {self.neighbours} "
                f"neighbours; there are {n}"
            )
        return _Kept(self, trial.model, exact)


@dataclass(frozen=True, eq=False)
class _Kept:
    metric: PointFidelity
    model: ScoreModel
    exact: ExactDistribution
    batches: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.batches.append(batch.x.flatten(1).double().cpu())

    def result(self) -> Sequence[Measurement]:
        k, count = self.metric.neighbours, self.metric.reference_samples
        samples = torch.cat(self.batches)
        if not bool(samples.isfinite().all()):
            raise UnsupportedError("samples are not finite: they have no neighbours")
        n = len(samples)
        real = self.exact.sample(count, _REAL).flatten(1)
        found = _numbers(fidelity(samples, real, k), count, "")
        control = {m.metric: m for m in _control(self.model, n, count, k)}
        share = expected_coverage(n, count, k)
        return [
            *found,
            control["precision_exact_points"],
            control["recall_exact_points"],
            _exact("coverage", share, n, count),
            _exact("density", 1.0, n, count),
        ]


@lru_cache(maxsize=8)
def _control(model: ScoreModel, n: int, count: int, k: int) -> list[Measurement]:
    """The numbers of a second exact sample of the same size."""
    exact = model.target.exact
    assert exact is not None  # the metric has refused other models
    real, again = (
        exact.sample(size, seed).flatten(1) for size, seed in ((count, _REAL), (n, _CONTROL))
    )
    return _numbers(fidelity(again, real, k), count, "_exact")


def _numbers(found: Fidelity, count: int, suffix: str) -> list[Measurement]:
    parts = {
        "precision": (float(found.precision.mean()), found.precision - found.precision.mean()),
        "recall": (found.recall.value, found.recall.influence),
        "coverage": (found.coverage.value, found.coverage.influence),
        "density": (float(found.density.mean()), found.density - found.density.mean()),
    }
    return [
        _number(name, suffix, value, influence, count) for name, (value, influence) in parts.items()
    ]


def _number(name: str, suffix: str, value: float, influence: Tensor, count: int) -> Measurement:
    error = Uncertainty.of(value, lambda: influence)
    role = Role.DIAGNOSTIC if name == "density" else Role.QUALITY
    return Measurement(
        f"{name}{suffix}_points",
        value,
        "1",
        len(influence),
        error.std_error,
        role=Role.EXACT if suffix else role,
        belongs_to=f"{name}_points" if suffix else "",
        evidence=None if suffix else error.evidence,
        reference_n=count,
        note=error.note,
    )


def _exact(name: str, value: float, n: int, count: int) -> Measurement:
    return Measurement(
        f"{name}_exact_points",
        value,
        "1",
        n,
        role=Role.EXACT,
        belongs_to=f"{name}_points",
        reference_n=count,
    )
