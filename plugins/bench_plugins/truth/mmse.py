"""The mean of the samples against the posterior mean."""

from __future__ import annotations

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
from bench_plugins.truth.papers import KAY1993


@dataclass(frozen=True)
class MmseGap(AnswerMetric):
    """Squared error of the samples' mean as estimate of the truth, per dimension.

    ``mean_mse``: ||E' - x_0||^2 / d, where E' is the mean that infinitely many samples of the
    question would have: the variance of the mean of a few is estimated and taken off, so that all
    are unbiased, and small ones may come out negative. Where the posterior is known,
    ``mean_mse_exact`` is that of E[x_0 | y], which no estimate undercuts in the mean, and
    ``mmse_gap`` is ||E' - E[x_0 | y]||^2 / d.
    """

    name: ClassVar[str] = "mmse_gap"
    reference: ClassVar[str] = "Kay 1993, Chapter 10 (the MMSE estimate)"
    bibtex: ClassVar[str] = KAY1993
    unit: ClassVar[str] = "data units^2"
    title: ClassVar[str] = "squared error of the posterior mean"

    def check(self, answers: Answers) -> None:
        _ = answers.truth

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        several_draws(answers)
        truth = answers.truth.flatten(1)[answers.firsts]
        known = exact_posterior(answers.trial, answers.observation) is not None
        against = _squares(answers, truth)
        if not known:
            return [mean_number("mean_mse", against, self.unit)]
        mean = answers.exact_mean()
        least = float((mean - truth).square().mean())
        return [
            mean_number("mmse_gap", _squares(answers, mean), self.unit),
            mean_number("mean_mse", against, self.unit, Role.DIAGNOSTIC),
            exact_number("mean_mse_exact", least, "mean_mse", len(truth), self.unit),
        ]


def _squares(answers: Answers, points: Tensor) -> Tensor:
    """||E' - point||^2 / d of each question, without bias, (questions,)."""
    x = answers.flat
    mean = answers.by_question(lambda rows: x[rows].mean(0))
    noise = answers.by_question(lambda rows: x[rows].var(0).mean() / len(rows))
    return (mean - points).square().mean(1) - noise
