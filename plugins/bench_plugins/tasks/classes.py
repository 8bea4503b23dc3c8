"""Samples of given classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.api import (
    Conditional,
    Question,
    Questions,
    ScoreModel,
    Task,
    UnsupportedError,
    require,
)
from bench_plugins.tasks.papers import SONG2021


@dataclass(frozen=True)
class Classes(Task):
    """Class-conditional samples: consecutive ones take the classes 0, 1, 2, ... in turn.

    Attributes:
        classes: number of classes.
        only: the one class of all samples; ``None``: all in turn.
    """

    name: ClassVar[str] = "class"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Section 5 and Appendix I.1"
    bibtex: ClassVar[str] = SONG2021

    classes: int = 10
    only: int | None = None

    def __post_init__(self) -> None:
        require(self.classes >= 1, "classes must be >= 1")
        require(self.only is None or 0 <= self.only < self.classes, "only must be a class")

    def pose(self, model: ScoreModel, device: torch.device, dtype: torch.dtype) -> Questions:
        network, last = model.denoiser, self.classes - 1 if self.only is None else self.only
        if isinstance(network, Conditional) and last >= network.classes:
            raise UnsupportedError(
                f"task 'class' asks for class {last}, and the model '{model.target.data}' has "
                f"classes 0 to {network.classes - 1}; set the task's classes"
            )
        return _InTurn(self, device)


@dataclass(frozen=True)
class _InTurn(Questions):
    task: Classes
    device: torch.device

    def of_samples(self, seed: int, first: int, count: int) -> Question:
        number = torch.arange(first, first + count, device=self.device) % self.task.classes
        if self.task.only is not None:
            number = torch.full_like(number, self.task.only)
        return Question(number, labels=number)
