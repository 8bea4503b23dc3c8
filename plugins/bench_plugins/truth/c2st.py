"""Classifier two-sample test of the samples against the exact posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Measurement, NoiseStream, UnsupportedError, require
from bench_plugins.truth.answers import (
    AnswerMetric,
    Answers,
    exact_number,
    mean_number,
    several_draws,
)
from bench_plugins.truth.logistic import fit_logistic
from bench_plugins.truth.papers import LOPEZPAZ2017

_REFERENCE = 128
"""Exact samples of a question whose mean and covariance are the unit of its coordinates."""


@dataclass(frozen=True)
class ClassifierTest(AnswerMetric):
    """Accuracy of a classifier that tells samples from exact ones of the same question.

    0.5 is chance, 1 is certainty. The classifier is a logistic regression on linear and quadratic
    features, in coordinates in which each question's exact posterior has mean 0 and covariance 1
    (estimated from other exact samples), so that one classifier serves all questions. It is tested
    on questions that it was not trained on, so that exact samples have 0.5 in the mean. It sees
    wrong means, covariances and modes that are missing; two distributions of the same first two
    moments it may take for one.

    Attributes:
        coordinates: dimensions up to which all are used; above, so many random directions.
        folds: parts of the questions that are tested in turn.
        penalty: of the squared weights, for each standardised feature, in units of one sample.
    """

    name: ClassVar[str] = "c2st"
    reference: ClassVar[str] = "Lopez-Paz and Oquab 2017, arXiv:1610.06545 (C2ST)"
    bibtex: ClassVar[str] = LOPEZPAZ2017
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "classifier two-sample test"

    coordinates: int = 12
    folds: int = 5
    penalty: float = 1.0

    def __post_init__(self) -> None:
        require(1 <= self.coordinates <= 64, "coordinates must lie in 1..64")
        require(self.folds >= 2, "folds must be >= 2")
        require(self.penalty > 0, "penalty must be > 0")

    def check(self, answers: Answers) -> None:
        _ = answers.posterior

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        if len(answers.groups) < 2:
            raise UnsupportedError(
                f"{self.name} trains on some questions and tests on others, and there is one; draw "
                "more samples, or lower the task's draws"
            )
        several_draws(answers, least=1)
        axes = _axes(answers.flat.shape[1], self.coordinates)
        own, exact = self._features(answers, axes)
        question = torch.empty(len(answers.x), dtype=torch.int64)
        for number, rows in enumerate(answers.groups):
            question[rows] = number
        correct = self._correct(own, exact, question)
        each = answers.by_question(lambda rows: correct[rows].mean())
        return [
            mean_number(self.name, each, reference_n=len(exact)),
            exact_number("c2st_exact", 0.5, self.name, len(each)),
        ]

    def _features(self, answers: Answers, axes: Tensor) -> tuple[Tensor, Tensor]:
        """Those of the samples and of as many exact ones, both (n, features)."""
        own, exact = answers.flat @ axes, answers.exact(seed=4) @ axes
        known = answers.exact_of_each(_REFERENCE, seed=5) @ axes
        for rows, reference in zip(answers.groups, known, strict=True):
            own[rows] = _whiten(own[rows], reference)
            exact[rows] = _whiten(exact[rows], reference)
        return _quadratic(own), _quadratic(exact)

    def _correct(self, own: Tensor, exact: Tensor, question: Tensor) -> Tensor:
        """The share of right answers for each sample and its exact partner, (n,)."""
        correct = torch.empty(len(own), dtype=torch.float64)
        folds = min(self.folds, int(question.max()) + 1)
        for fold in range(folds):
            test = question % folds == fold
            features = torch.cat([own[~test], exact[~test]])
            labels = torch.cat([torch.ones_like(own[~test, 0]), torch.zeros_like(own[~test, 0])])
            says = fit_logistic(features, labels, self.penalty)
            correct[test] = ((says(own[test]) > 0).double() + (says(exact[test]) <= 0)) / 2
        return correct


def _axes(d: int, coordinates: int) -> Tensor:
    """All coordinates, or an orthonormal basis of a random subspace, (d, coordinates)."""
    if d <= coordinates:
        return torch.eye(d, dtype=torch.float64)
    noise = NoiseStream(1, "probe", 0, d, (coordinates,), torch.float64).normal()
    basis: Tensor = torch.linalg.qr(noise)[0]
    return basis


def _whiten(x: Tensor, reference: Tensor) -> Tensor:
    """``x`` in coordinates in which ``reference`` has mean 0 and covariance 1; far ones damped."""
    mean = reference.mean(0)
    covariance = (reference - mean).T @ (reference - mean) / len(reference)
    unit = torch.eye(len(mean), dtype=torch.float64)
    # Of a direction that the observation fixes exactly the covariance is zero.
    covariance = covariance + 1e-9 * (covariance.trace() / len(mean)).clamp_min(1e-30) * unit
    root = torch.linalg.cholesky(covariance)
    z: Tensor = torch.linalg.solve_triangular(root, (x - mean).T, upper=False).T
    # Linear near zero, so that one sample far away does not make all features zero beside it.
    return z.asinh()


def _quadratic(z: Tensor) -> Tensor:
    """z_i and z_i z_j, i <= j."""
    i, j = torch.triu_indices(z.shape[1], z.shape[1])
    return torch.cat([z, z[:, i] * z[:, j]], 1)
