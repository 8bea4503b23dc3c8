"""Simulation-based calibration: ranks of the truth among the samples of its question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Measurement, NoiseStream, Role, require
from bench_plugins.truth.answers import (
    AnswerMetric,
    Answers,
    directions,
    exact_number,
    mean_number,
    several_draws,
)
from bench_plugins.truth.papers import TALTS2018


@dataclass(frozen=True)
class Calibration(AnswerMetric):
    """Ranks of the truth among its question's samples, along random directions.

    If the samples are of the exact posterior the ranks are uniform. ``sbc_ks``: the
    Kolmogorov-Smirnov distance of their distribution from the uniform one, the mean over
    directions; ``sbc_ks_floor``: that of as many uniform ranks. ``coverage_50`` and
    ``coverage_90``: how often the truth lies in the central intervals, where a rank stands for the
    interval of probabilities [rank, rank + 1] / (draws + 1), so that the exact posterior has 0.5
    and 0.9 whatever the number of draws.

    Too narrow samples have too low a coverage, too wide ones too high a one; samples of the prior,
    which ignore the observation, are calibrated too.

    Attributes:
        directions: number of directions.
    """

    name: ClassVar[str] = "sbc"
    reference: ClassVar[str] = "Talts et al. 2018, arXiv:1804.06788, Algorithm 1"
    bibtex: ClassVar[str] = TALTS2018
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "calibration"

    directions: int = 16

    def __post_init__(self) -> None:
        require(self.directions >= 1, "directions must be >= 1")

    def check(self, answers: Answers) -> None:
        _ = answers.truth

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        several_draws(answers)
        axes = directions(self.directions, answers.flat.shape[1])
        draws = torch.tensor([len(rows) for rows in answers.groups], dtype=torch.float64)
        low, high = _intervals(ranks(answers, axes), draws)
        uniform = NoiseStream(0, "probe", 0, len(draws), (self.directions,), torch.float64)
        chance = (uniform.uniform() * (draws + 1)[:, None]).floor()
        floor = _distance(*_intervals(chance, draws), knots=int(draws.max()) + 2)
        found = _distance(low, high, knots=int(draws.max()) + 2)
        n = len(draws)
        return [
            Measurement("sbc_ks", float(found), "1", n, role=Role.ERROR),
            Measurement(
                "sbc_ks_floor", float(floor), "1", n, role=Role.REFERENCE, belongs_to="sbc_ks"
            ),
            *_coverage("coverage_50", 0.5, low, high),
            *_coverage("coverage_90", 0.9, low, high),
        ]


def ranks(answers: Answers, axes: Tensor) -> Tensor:
    """The truth's rank, 0 .. draws, among the samples of each question, (questions, directions).

    Of equal numbers half count.
    """
    own, truth = answers.flat @ axes.T, answers.truth.flatten(1) @ axes.T

    def rank(rows: Tensor) -> Tensor:
        x, t = own[rows], truth[rows[0]]
        return (x < t).double().sum(0) + 0.5 * (x == t).double().sum(0)

    return answers.by_question(rank)


def _intervals(rank: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """The interval of probabilities that each rank stands for."""
    parts = (draws + 1)[:, None]
    return rank / parts, (rank + 1) / parts


def _below(low: Tensor, high: Tensor, u: Tensor) -> Tensor:
    """The share of each interval below ``u``, for numbers u (k,): (k, questions, directions)."""
    return ((u[:, None, None] - low) / (high - low)).clamp(0, 1)


def _distance(low: Tensor, high: Tensor, knots: int) -> Tensor:
    """The mean over directions of the largest gap to the uniform distribution function."""
    u = torch.linspace(0, 1, knots, dtype=torch.float64)
    return (_below(low, high, u).mean(1) - u[:, None]).abs().amax(0).mean()


def _coverage(name: str, share: float, low: Tensor, high: Tensor) -> list[Measurement]:
    ends = torch.tensor([(1 - share) / 2, (1 + share) / 2], dtype=torch.float64)
    inside = _below(low, high, ends).diff(dim=0)[0].mean(1)
    return [
        mean_number(name, inside, role=Role.DIAGNOSTIC),
        exact_number(f"{name}_exact", share, name, len(inside)),
    ]
