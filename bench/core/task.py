"""Tasks: what is known of each sample, and what the answer is measured against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.noise import NoiseStream
from bench.core.observation import Observation, Operator
from bench.core.plugin import Plugin, require

if TYPE_CHECKING:
    from bench.core.target import ScoreModel

Split = Literal["test", "validation"]

_SEEDS: dict[Split, int] = {"test": 2**40, "validation": 2**41}
"""Apart from each other, and from the seeds of runs."""


@dataclass(frozen=True, eq=False)
class Question:
    """The questions that consecutive samples answer.

    Attributes:
        number: the number of the question that each answers, int64, (n,).
        labels: the class that each is to be of, int64, (n,), or None.
        observation: what was observed of each, or None.
        truth: what it was observed of, (n, *shape), or None.
    """

    number: Tensor
    labels: Tensor | None = None
    observation: Observation | None = None
    truth: Tensor | None = None


class Questions(ABC):
    """The questions of a task to a model."""

    @abstractmethod
    def of_samples(self, seed: int, first: int, count: int) -> Question:
        """Those of the samples ``first`` .. ``first + count - 1`` of a run with this seed.

        A sample's question depends neither on the batch nor on the number of samples.

        Raises:
            UnsupportedError: there are not as many questions.
        """


class Task(Plugin, ABC):
    """Knowledge of the samples to draw: their class, or an observation of each."""

    @abstractmethod
    def pose(self, model: ScoreModel, device: torch.device, dtype: torch.dtype) -> Questions:
        """The questions to ``model``, on ``device`` in ``dtype``.

        Raises:
            UnsupportedError: the task has no meaning for the model.
        """


@dataclass(frozen=True)
class InverseProblem(Task):
    """Samples of x_0 given y = A(x_0) + noise n, where x_0 is of the model's own distribution.

    x_0 are exact samples where the model has a closed form, else held-out data; those of the two
    splits share nothing. All runs of a task, whatever their seed, answer the same questions.

    Attributes:
        noise: standard deviation of the observation's noise, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    noise: float = 0.05
    draws: int = 16
    split: Split = "test"
    task_seed: int = 0

    def __post_init__(self) -> None:
        require(self.noise >= 0, "noise must be >= 0")
        require(self.draws >= 1, "draws must be >= 1")
        require(0 <= self.task_seed < 2**30, "task_seed must lie in 0..2^30 - 1")

    @abstractmethod
    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        """A for samples of this shape.

        Raises:
            UnsupportedError: there is none.
        """

    @property
    def seed(self) -> int:
        """Seed of the observations."""
        return _SEEDS[self.split] + self.task_seed

    def pose(self, model: ScoreModel, device: torch.device, dtype: torch.dtype) -> Questions:
        operator = self.operator(model.shape, device, dtype)
        return _Observed(self, model, operator, device, dtype)


@dataclass(frozen=True, eq=False)
class _Observed(Questions):
    task: InverseProblem
    model: ScoreModel
    operator: Operator
    device: torch.device
    dtype: torch.dtype

    def of_samples(self, seed: int, first: int, count: int) -> Question:
        number = torch.arange(first, first + count, device=self.device) // self.task.draws
        start = first // self.task.draws
        asked = (first + count - 1) // self.task.draws + 1 - start
        truths = self._truths(start, asked).to(self.device, self.dtype)
        clean = self.operator(truths)
        noise = NoiseStream(
            self.task.seed, "task", start, asked, clean.shape[1:], self.dtype, self.device
        ).normal()
        rows = number - start
        value = (clean + self.task.noise * noise)[rows]
        observation = Observation(self.operator, value, self.task.noise)
        return Question(number, None, observation, truths[rows])

    def _truths(self, start: int, count: int) -> Tensor:
        target, end = self.model.target, start + count
        if target.exact is not None:
            return target.exact.sample(end, self.task.seed)[start:]
        if target.discrete is None:
            raise UnsupportedError(
                f"task '{self.task.name}' observes exact samples or held-out data, and the model "
                f"'{target.data}' has neither"
            )
        # Every second one each, so that both splits have all classes.
        own = target.discrete.held_out()[int(self.task.split == "validation") :: 2]
        if len(own) < end:
            raise UnsupportedError(
                f"task '{self.task.name}' has {len(own)} held-out samples in its split, and "
                f"question {end - 1} was asked; raise draws, or draw fewer samples"
            )
        shape = self.model.shape
        stream = NoiseStream(self.task.seed, "dequantise", start, count, shape, torch.float64)
        return target.discrete.dequantise(own[start:end], stream)
