"""Share of samples that are of the class that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from bench.api import (
    NO_CLASS,
    Accumulator,
    Batch,
    Measurement,
    Role,
    SampleMetric,
    Trial,
    Uncertainty,
    UnsupportedError,
)
from bench_plugins.metrics.classifier import load_classifier
from bench_plugins.metrics.papers import RAVURI2019

_DATA = Path(__file__).parent / "data"
_EXACT = 20_000
"""Exact samples whose accuracy stands beside that of a closed form."""


@runtime_checkable
class ClassedDistribution(Protocol):
    """A closed form with classes."""

    def class_log_probs(self, y: Tensor, s: Tensor) -> Tensor:
        """ln p(c | x_0 + s eps = y), (n, classes)."""
        ...

    def sample_classes(self, labels: Tensor, seed: int) -> Tensor:
        """An exact sample of each class in ``labels`` (n,), float64, (n, *shape)."""
        ...


@dataclass(frozen=True)
class ClassAccuracy(SampleMetric):
    """Share of the samples that a classifier takes for the class they were asked to be of.

    The classifier is the exact one of closed forms, and beside it ``class_accuracy_exact`` is that
    of exact samples, which overlapping classes keep below 1; guidance goes beyond it. Images are
    judged, rounded to their levels, by a classifier that guides nothing and gives no features to a
    Frechet distance (of the digits: by that of `fd_digits`). It says nothing of variety: one good
    sample over and over has 1.
    """

    name: ClassVar[str] = "class_accuracy"
    reference: ClassVar[str] = (
        "as the classification accuracy of Ravuri and Vinyals 2019, arXiv:1905.10887, with the "
        "roles of samples and classifier exchanged"
    )
    bibtex: ClassVar[str] = RAVURI2019
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "accuracy of the class"
    larger_is_better: ClassVar[bool] = True

    def start(self, trial: Trial) -> Accumulator:
        labels = trial.labels(0, 1)
        if labels is None or bool((labels == NO_CLASS).any()):
            raise UnsupportedError(
                f"{self.name} needs samples of classes: a class-conditional model or a task such "
                "as class"
            )
        return _Judged(trial, _judge(trial))


Judge = Callable[[Tensor], Tensor]


def _judge(trial: Trial) -> Judge:
    """The class of each of ``x`` (n, *shape), (n,)."""
    target = trial.model.target
    exact: object = target.exact
    if isinstance(exact, ClassedDistribution):
        return lambda x: exact.class_log_probs(x, x.new_zeros(())).argmax(1)
    # A classifier that no metric's features and no guidance come of, where there is one.
    files = (_DATA / f"{target.data}_{name}.safetensors" for name in ("judge", "classifier"))
    file = next((path for path in files if path.is_file()), None)
    discrete = target.discrete
    if discrete is None or file is None:
        raise UnsupportedError(
            f"class_accuracy has no classifier of the data set '{target.data}', nor a closed form"
        )
    return lambda x: _network(file)(discrete.quantise(x)).argmax(1)


@lru_cache(maxsize=2)
def _network(file: Path) -> torch.nn.Module:
    return load_classifier(file)[0]


@dataclass(frozen=True, eq=False)
class _Judged:
    trial: Trial
    judge: Judge
    right: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        labels = self.trial.labels(batch.first, len(batch.x))
        assert labels is not None
        x = batch.x.cpu()
        for part, own in zip(x.split(64), labels.cpu().split(64), strict=True):
            self.right.append((self.judge(part) == own).double())

    def result(self) -> Sequence[Measurement]:
        right = torch.cat(self.right)
        value, n = float(right.mean()), len(right)
        error = Uncertainty.of(value, lambda: right - value)
        own = Measurement("class_accuracy", value, "1", n, error.std_error, evidence=error.evidence)
        exact: object = self.trial.model.target.exact
        if not isinstance(exact, ClassedDistribution):
            return [own]
        given = self.trial.labels(0, n)
        assert given is not None
        # The same share of each class.
        labels = given.cpu()[torch.arange(_EXACT) % n]
        truth = exact.sample_classes(labels, self.trial.draw.seed + 2**32)
        hits = (self.judge(truth) == labels).double()
        known = Measurement(
            "class_accuracy_exact",
            float(hits.mean()),
            "1",
            n,
            float(hits.std()) / _EXACT**0.5,
            role=Role.EXACT,
            belongs_to="class_accuracy",
            reference_n=_EXACT,
        )
        return [own, known]
