"""A conditional model in closed form with questions to it, on which guidances are tried."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.core.classes import Conditional
from bench.core.noise import NoiseStream
from bench.core.observation import LinearOperator, Observation
from bench.core.rows import rows_of
from bench.core.target import ScoreModel, Target
from bench.core.task import Question, Questions

MEANS = (-1.0, 0.4, 1.5)
SHAPE = (2, 4, 4)


@dataclass(frozen=True)
class ThreeClasses:
    """Classes N(m_c, variance I), all alike probable, of samples of any shape."""

    variance: float = 0.3

    def denoise(self, y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
        """D(y; s, c), and D(y; s) where a label is negative."""
        total = self.variance + rows_of(s, y).square()
        means = y.new_tensor(MEANS)
        gaps = torch.stack([(y - m).flatten(1).square().sum(1) for m in MEANS], 1)
        share = (-0.5 * gaps / total.reshape(-1, 1)).softmax(1)
        known = labels >= 0
        mean = torch.where(known, means[labels.clamp_min(0)], share @ means)
        return rows_of(mean, y) + self.variance / total * (y - rows_of(mean, y))


@dataclass(frozen=True, eq=False)
class FirstHalf(LinearOperator):
    """The first half of a sample's entries."""

    values: Tensor

    def coefficients(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, : len(self.values)]

    def image(self, coefficients: Tensor) -> Tensor:
        rest = torch.zeros_like(coefficients)
        return torch.cat([coefficients, rest], 1).reshape(-1, *SHAPE)


@dataclass(frozen=True)
class Posed(Questions):
    """A question of its own for each sample: its class, or the first half of a sample.

    Attributes:
        labels, observed: which of both is asked.
        dtype: of the observation.
        shift: added to the observation.
        turn: added to the classes.
    """

    labels: bool = True
    observed: bool = True
    dtype: torch.dtype = torch.float64
    shift: float = 0.0
    turn: int = 0

    def of_samples(self, seed: int, first: int, count: int) -> Question:
        number = torch.arange(first, first + count)
        labels = (number + self.turn) % len(MEANS)
        half = torch.Size(SHAPE).numel() // 2
        z = NoiseStream(7, "task", first, count, (half,), self.dtype).normal()
        seen = Observation(FirstHalf(torch.ones(half, dtype=self.dtype)), z + self.shift, 0.1)
        return Question(number, labels if self.labels else None, seen if self.observed else None)


def posed_model() -> ScoreModel:
    """The model; its weaker version has classes of a larger variance."""
    network, weak = ThreeClasses(), ThreeClasses(0.6)
    return ScoreModel(
        Conditional(network.denoise, len(MEANS)),
        SHAPE,
        0.002,
        80.0,
        "three classes",
        Target("three classes"),
        Conditional(weak.denoise, len(MEANS)),
    )
