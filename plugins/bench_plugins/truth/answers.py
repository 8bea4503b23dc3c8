"""The samples of a cell beside the questions that they answer."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    BenchError,
    Conditionable,
    ExactPosterior,
    LinearOperator,
    Measurement,
    NoiseStream,
    Observation,
    Question,
    Role,
    SampleMetric,
    Trial,
    UnsupportedError,
)


@dataclass(frozen=True, eq=False)
class Answers:
    """All samples of a cell and their questions.

    Attributes:
        trial: what is behind them.
        x: the samples, float64, on the CPU, (n, *shape).
        question: their questions, on the CPU but for the observation.
        metric: the metric's name, for messages.
    """

    trial: Trial
    x: Tensor
    question: Question
    metric: str

    @cached_property
    def groups(self) -> tuple[Tensor, ...]:
        """The indices of the samples of each question, in the order of the questions' numbers."""
        number = self.question.number
        return tuple((number == q).nonzero().flatten() for q in number.unique())

    @property
    def firsts(self) -> Tensor:
        """The index of the first sample of each question, (questions,)."""
        return torch.stack([rows[0] for rows in self.groups])

    @property
    def flat(self) -> Tensor:
        """The samples as vectors, (n, d)."""
        return self.x.flatten(1)

    @property
    def observation(self) -> Observation:
        """The observation of each sample, on the device and in the dtype of the run."""
        assert self.question.observation is not None
        return self.question.observation

    @property
    def truth(self) -> Tensor:
        """The samples that were observed, float64, (n, *shape)."""
        if self.question.truth is None:
            raise UnsupportedError(f"{self.metric} needs the truth, which the task does not know")
        return self.question.truth

    @property
    def posterior(self) -> ExactPosterior:
        """The exact distribution of each sample given its observation.

        Raises:
            UnsupportedError: it has no closed form.
        """
        found = exact_posterior(self.trial, self.observation)
        if found is None:
            raise UnsupportedError(
                f"{self.metric} needs the exact posterior: a Gaussian mixture and a linear task"
            )
        return found

    def exact(self, seed: int) -> Tensor:
        """An exact sample in the place of each sample, independent between seeds, (n, d)."""
        return self.posterior.sample(_SEED + seed).flatten(1)

    def exact_of_each(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples of each question, (questions, count, d)."""
        own = self.posterior.of_rows(self.firsts.repeat_interleave(count))
        return own.sample(_SEED + seed).reshape(len(self.groups), count, -1)

    def exact_mean(self) -> Tensor:
        """E[x_0 | y] of each question, (questions, d): the denoiser at infinite noise."""
        own = self.posterior.of_rows(self.firsts)
        far = torch.tensor(1e8, dtype=torch.float64)
        return own.denoise(torch.zeros(len(self.groups), self.flat.shape[1]).double(), far)

    def by_question(self, values: Callable[[Tensor], Tensor]) -> Tensor:
        """``values(indices of the samples)`` of each question, stacked."""
        return torch.stack([values(rows) for rows in self.groups])


_SEED = 2**43
"""Of exact samples: apart from the seeds of runs and of tasks, and the same for all runs."""


def exact_posterior(trial: Trial, observation: Observation) -> ExactPosterior | None:
    """The closed form of the posterior, where there is one."""
    exact: object = trial.model.target.exact
    linear = isinstance(observation.operator, LinearOperator)
    return exact.posterior(observation) if linear and isinstance(exact, Conditionable) else None


class AnswerMetric(SampleMetric):
    """A metric of samples against the questions that they answer, whatever their batches."""

    answers: ClassVar[bool] = True

    def start(self, trial: Trial) -> Accumulator:
        if trial.questions is None or not trial.observed:
            raise UnsupportedError(
                f"{self.name} is of samples that answer observations; give the suite a task such "
                "as inpainting"
            )
        # Refuse before the first sample is drawn.
        self.check(_answers(self.name, trial, torch.empty(1, *trial.model.shape).double()))
        return _Kept(self, trial)

    def check(self, answers: Answers) -> None:
        """Refuse what the metric has no meaning for.

        Args:
            answers: of the right questions; the samples are nothing.

        Raises:
            UnsupportedError: says why.
        """
        return

    @abstractmethod
    def measure(self, answers: Answers) -> Sequence[Measurement]:
        """The numbers of all samples."""


@dataclass(frozen=True)
class _Kept:
    metric: AnswerMetric
    trial: Trial
    batches: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.batches.append(batch.x.double().cpu())

    def result(self) -> Sequence[Measurement]:
        x = torch.cat(self.batches)
        broken = int((~x.flatten(1).isfinite().all(1)).sum())
        if broken:
            raise BenchError(f"{self.metric.name}: {broken} of {len(x)} samples are not finite")
        return self.metric.measure(_answers(self.metric.name, self.trial, x))


def _answers(name: str, trial: Trial, x: Tensor) -> Answers:
    assert trial.questions is not None
    asked = trial.questions.of_samples(trial.draw.seed, 0, len(x))
    truth = None if asked.truth is None else asked.truth.double().cpu()
    question = replace(asked, number=asked.number.cpu(), truth=truth)
    return Answers(trial, x, question, name)


def mean_number(
    name: str,
    each: Tensor,
    unit: str = "1",
    role: Role = Role.QUALITY,
    belongs_to: str = "",
    reference_n: int | None = None,
) -> Measurement:
    """The mean over questions of ``each`` (questions,), with its standard error.

    Questions are what is independent: the samples of one share its truth and its noise.
    """
    n = len(each)
    error = float(each.std()) / math.sqrt(n) if n > 1 else None
    evidence = each if role is not Role.REFERENCE else None
    return Measurement(
        name,
        float(each.mean()),
        unit,
        n,
        error,
        role=role,
        belongs_to=belongs_to,
        evidence=evidence,
        reference_n=reference_n,
    )


def exact_number(name: str, value: float, belongs_to: str, n: int, unit: str = "1") -> Measurement:
    """The value that another number should have."""
    return Measurement(name, value, unit, n, role=Role.EXACT, belongs_to=belongs_to)


def several_draws(answers: Answers, least: int = 2) -> None:
    """Refuse questions that too few samples answer.

    Raises:
        UnsupportedError: a question has fewer than ``least`` of them.
    """
    count = min(map(len, answers.groups))
    if count < least:
        raise UnsupportedError(
            f"{answers.metric} needs at least {least} samples of each question, and one has "
            f"{count}; raise the task's draws, and draw a multiple of them"
        )


def directions(count: int, d: int) -> Tensor:
    """Unit vectors, the same for all runs, float64, (count, d)."""
    axes = NoiseStream(0, "probe", 0, count, (d,), torch.float64).normal()
    return axes / axes.square().sum(1, keepdim=True).sqrt()
