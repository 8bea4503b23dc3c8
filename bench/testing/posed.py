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
        means, known = y.new_tensor(MEANS), labels >= 0
        share = self.log_probs(y, s).exp()
        mean = torch.where(known, means[labels.clamp_min(0)], share @ means)
        return rows_of(mean, y) + self.variance / total * (y - rows_of(mean, y))

    def log_probs(self, y: Tensor, s: Tensor) -> Tensor:
        """ln p(c | y; s), (n, classes)."""
        gaps = torch.stack([(y - m).flatten(1).square().sum(1) for m in MEANS], 1)
        total = self.variance + s.reshape(-1, 1).square()
        return (-0.5 * gaps / total).log_softmax(1)


@dataclass(frozen=True, eq=False)
class FirstHalf(LinearOperator):
    """The first half of a sample's entries."""

    values: Tensor
    shape: tuple[int, ...]

    def coefficients(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, : len(self.values)]

    def image(self, coefficients: Tensor) -> Tensor:
        rest = torch.Size(self.shape).numel() - len(self.values)
        hidden = coefficients.new_zeros(len(coefficients), rest)
        return torch.cat([coefficients, hidden], 1).reshape(-1, *self.shape)


@dataclass(frozen=True)
class Posed(Questions):
    """A question of its own for each sample: its class, or the first half of a sample.

    Attributes:
        labels, observed: which of both is asked.
        dtype: of the observation.
        shift: added to the observation.
        turn: added to the classes.
        shape: of a sample.
    """

    labels: bool = True
    observed: bool = True
    dtype: torch.dtype = torch.float64
    shift: float = 0.0
    turn: int = 0
    shape: tuple[int, ...] = SHAPE

    def of_samples(self, seed: int, first: int, count: int) -> Question:
        number = torch.arange(first, first + count)
        labels = (number + self.turn) % len(MEANS)
        half = torch.Size(self.shape).numel() // 2
        z = NoiseStream(7, "task", first, count, (half,), self.dtype).normal()
        seen = Observation(
            FirstHalf(torch.ones(half, dtype=self.dtype), self.shape), z + self.shift, 0.1
        )
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
        network.log_probs,
    )
