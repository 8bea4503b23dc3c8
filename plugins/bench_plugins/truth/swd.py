"""Sliced Wasserstein distance to the exact posterior, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Measurement, Role, require
from bench_plugins.truth.answers import (
    AnswerMetric,
    Answers,
    directions,
    mean_number,
    several_draws,
)
from bench_plugins.truth.papers import BONNEEL2015


@dataclass(frozen=True)
class PosteriorWasserstein(AnswerMetric):
    """Sliced Wasserstein-1 distance between the samples of a question and its exact posterior.

    The mean over questions. ``posterior_swd_floor`` is that of exact samples of the same number:
    the distance of few samples from many is never zero.

    Attributes:
        directions: number of directions.
        repeats: exact samples of a question for each sample of it.
    """

    name: ClassVar[str] = "posterior_swd"
    reference: ClassVar[str] = "Bonneel et al. 2015, J. Math. Imaging Vis. 51"
    bibtex: ClassVar[str] = BONNEEL2015
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "sliced Wasserstein distance to the posterior"

    directions: int = 64
    repeats: int = 16

    def __post_init__(self) -> None:
        require(self.directions >= 1, "directions must be >= 1")
        require(self.repeats >= 1, "repeats must be >= 1")

    def check(self, answers: Answers) -> None:
        _ = answers.posterior

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        several_draws(answers)
        axes = directions(self.directions, answers.flat.shape[1])
        most = max(map(len, answers.groups))
        truth = answers.exact_of_each(most * self.repeats, seed=1) @ axes.T
        own, floor = answers.flat @ axes.T, answers.exact(seed=2) @ axes.T

        def distances(points: Tensor) -> Tensor:
            pairs = zip(answers.groups, truth, strict=True)
            return torch.stack([_wasserstein(points[rows], exact) for rows, exact in pairs])

        n = most * self.repeats
        return [
            mean_number(self.name, distances(own), self.unit, Role.ERROR, reference_n=n),
            mean_number(
                "posterior_swd_floor", distances(floor), self.unit, Role.REFERENCE, self.name, n
            ),
        ]


def _wasserstein(one: Tensor, other: Tensor) -> Tensor:
    """The mean over columns of the Wasserstein-1 distance of (n, j) from (m, j), shape ().

    The area between the distribution functions, steps at the points of both.
    """
    points = torch.cat([one, other]).T  # (j, n + m)
    parts = ((len(one), 1 / len(one)), (len(other), -1 / len(other)))
    weights = torch.cat([points.new_full((n,), share) for n, share in parts])
    ordered, place = points.sort(dim=1)
    gap = weights[place].cumsum(1)[:, :-1].abs()
    return (gap * ordered.diff(dim=1)).sum(1).mean()
