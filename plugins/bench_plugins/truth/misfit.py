"""The samples against the observation, and against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Measurement, Role
from bench_plugins.truth.answers import (
    AnswerMetric,
    Answers,
    exact_number,
    exact_posterior,
    mean_number,
    several_draws,
)
from bench_plugins.truth.papers import KAIPIO2005


@dataclass(frozen=True)
class DataMisfit(AnswerMetric):
    """||y - A(x)||^2 / (m noise^2): how well the samples explain the observation.

    Its expectation is 1 for samples of the exact posterior, as it is for the truth; less means that
    noise was fitted. Where the observation has no noise there is ``data_residual`` alone, the root
    of the mean square of y - A(x), in the units of y.
    """

    name: ClassVar[str] = "data_misfit"
    reference: ClassVar[str] = (
        "Kaipio and Somersalo 2005, Chapter 2 (Morozov's discrepancy principle)"
    )
    bibtex: ClassVar[str] = KAIPIO2005
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "data misfit"

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        seen, draw = answers.observation, answers.trial.draw
        gap = seen.residual(answers.x.to(draw.device, draw.dtype)).double().cpu()
        squares = gap.square().mean(1)
        each = answers.by_question(lambda rows: squares[rows].mean())
        if seen.noise == 0:
            root = math.sqrt(float(squares.mean()))
            return [
                Measurement("data_residual", root, "data units", len(each), role=Role.DIAGNOSTIC)
            ]
        return [
            mean_number(self.name, each / seen.noise**2, role=Role.DIAGNOSTIC),
            exact_number("data_misfit_exact", 1.0, self.name, len(each)),
        ]


@dataclass(frozen=True)
class Diversity(AnswerMetric):
    """Standard deviation among the samples of a question, per dimension, the mean over questions.

    The root of half the mean squared distance of two samples, over the root of d. Where the
    posterior is known, ``diversity_exact`` is that of exact samples of the same number.
    """

    name: ClassVar[str] = "diversity"
    reference: ClassVar[str] = "Kaipio and Somersalo 2005, Chapter 3 (conditional covariance)"
    bibtex: ClassVar[str] = KAIPIO2005
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "diversity of the samples of a question"

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        several_draws(answers)

        def spread(x: Tensor) -> Tensor:
            return answers.by_question(lambda rows: x[rows].var(0).mean().sqrt())

        own = mean_number(self.name, spread(answers.flat), self.unit, Role.DIAGNOSTIC)
        if exact_posterior(answers.trial, answers.observation) is None:
            return [own]
        value = float(spread(answers.exact(seed=6)).mean())
        return [own, exact_number("diversity_exact", value, self.name, own.n, self.unit)]
