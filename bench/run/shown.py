"""Keeps a part of a cell to be looked at: samples and, under a task, what they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.core.metric import Trial
from bench.core.observation import Observation
from bench.core.sample import Batch
from bench.core.target import Conditionable
from bench.core.task import Question
from bench.run.attempt import attempt

if TYPE_CHECKING:
    import numpy as np

SHOWN = 16
"""Samples of a cell that are kept for the report (images)."""
SHOWN_POINTS = 512
"""The same for points, which take little room."""
ASKED = 4
"""Of observations, a question has at most one in so many of the samples that are kept."""
EXACT = 256
"""Exact samples of the posterior of each question that is kept."""


@dataclass(frozen=True)
class Kept:
    """The samples that are kept of a cell, and their questions; none of it decides a number."""

    trial: Trial
    x: tuple[Tensor, ...] = ()
    numbers: tuple[int, ...] = ()
    answered: tuple[Question, ...] = ()

    @property
    def most(self) -> int:
        """The number of samples that are kept."""
        return SHOWN_POINTS if len(self.trial.draw.shape) == 1 else SHOWN

    def add(self, batch: Batch) -> Kept:
        """Take some of a batch: the first, or those of several questions where there are any."""
        room, questions = self.most - len(self.numbers), self.trial.questions
        if room <= 0:
            return self
        if questions is None or not self.trial.observed:
            x = batch.x[:room].clone()
            return Kept(self.trial, (*self.x, x), (*self.numbers, *range(len(x))))
        question = questions.of_samples(self.trial.draw.seed, batch.first, len(batch.x))
        asked: list[int] = question.number.tolist()
        counts: Counter[int] = Counter(self.numbers)
        rows: list[int] = []
        for row, number in enumerate(asked):
            if counts[number] < self.most // ASKED and len(rows) < room:
                counts[number] += 1
                rows.append(row)
        kept = torch.tensor(rows, dtype=torch.int64, device=batch.x.device)
        numbers = (*self.numbers, *(asked[row] for row in rows))
        chosen = (*self.answered, _of_rows(question, kept))
        return Kept(self.trial, (*self.x, batch.x[kept]), numbers, chosen)

    def samples(self) -> np.ndarray | None:
        """Images as bytes, points as float32; None for other samples."""
        return self._to_show(torch.cat(self.x))

    def answers(self) -> Mapping[str, np.ndarray]:
        """``number`` (n,), ``observation`` and ``truth`` as the samples, ``exact``; what is known.

        ``exact`` are samples of the posteriors of the first questions, (questions, m, d).
        """
        # A picture, not a number: where it cannot be drawn, the cell has all else.
        return attempt(partial(dict, self._answers())).value or {}

    def _answers(self) -> Iterator[tuple[str, np.ndarray]]:
        if not self.answered:
            return
        observed = [q.observation for q in self.answered if q.observation is not None]
        operator, value = observed[0].operator, torch.cat([o.value for o in observed])
        truth = [question.truth for question in self.answered if question.truth is not None]
        pictures = {
            "observation": operator.show(value),
            "truth": torch.cat(truth) if truth else None,
        }
        for name, x in pictures.items():
            shown = None if x is None else self._to_show(x)
            if shown is not None:
                yield name, shown
        yield "number", torch.tensor(self.numbers).numpy()
        exact = self._exact(Observation(operator, value, observed[0].noise))
        if exact is not None:
            yield "exact", exact

    def _exact(self, observation: Observation) -> np.ndarray | None:
        """Exact samples of the first questions; None where the posterior is not known."""
        exact: object = self.trial.model.target.exact
        if not isinstance(exact, Conditionable) or len(self.trial.draw.shape) != 1:
            return None
        first = {number: row for row, number in reversed(list(enumerate(self.numbers)))}
        rows = torch.tensor(sorted(first.values())[:ASKED], device=observation.value.device)
        posterior = attempt(
            partial(exact.posterior, observation.of_rows(rows.repeat_interleave(EXACT)))
        ).value
        if posterior is None:
            return None
        x = posterior.sample(self.trial.draw.seed).float()
        found: np.ndarray = x.reshape(len(rows), EXACT, -1).cpu().numpy()
        return found

    def _to_show(self, x: Tensor) -> np.ndarray | None:
        discrete = self.trial.model.target.discrete
        if discrete is not None:
            x = discrete.quantise(x).mul_(255 // (discrete.levels - 1))
        elif x.ndim == 2:
            x = x.float()
        else:
            return None
        found: np.ndarray = x.cpu().numpy()
        return found


def _of_rows(question: Question, rows: Tensor) -> Question:
    """The questions of the samples with the indices ``rows``."""
    observation, truth = question.observation, question.truth
    return Question(
        question.number[rows],
        None,
        observation and observation.of_rows(rows),
        None if truth is None else truth[rows],
    )
