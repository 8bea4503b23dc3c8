"""The timestep spacings of models that were trained on discrete levels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseProcess, Time, TimeGrid, UnsupportedError, require
from bench_plugins.ddim.papers import LIN2024COMMON

_REFERENCE = "Lin et al. 2024, arXiv:2305.08891, Table 2"


@dataclass(frozen=True)
class _Levels(TimeGrid):
    """Whole levels 0 .. train_steps - 1, which lie at equal steps of t from s_min to s_max."""

    train_steps: int = 1000

    def __post_init__(self) -> None:
        require(self.train_steps > 1, "train_steps must be > 1")

    @abstractmethod
    def levels(self, points: int) -> Tensor:
        """``points`` falling levels, float64 with whole values."""

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        if steps >= self.train_steps:
            raise UnsupportedError(
                f"grid '{self.name}': {steps} steps need {steps + 1} different levels, but "
                f"train_steps is {self.train_steps}; raise it or take fewer steps"
            )
        start, end = process.at_s(s_max), process.at_s(s_min)
        last = self.train_steps - 1
        # The ends as they are: s is not to change by round-off where a level is one of them.
        ends = {0: end, last: start}
        return tuple(
            ends[k] if k in ends else process.at(end.t + (start.t - end.t) * k / last)
            for k in map(int, self.levels(steps + 1).tolist())
        )


@dataclass(frozen=True)
class Linspace(_Levels):
    """Equal spacings of the levels 0 .. train_steps - 1, both ends included, rounded.

    diffusers' "linspace". Level k of a DDPM stands at t(s_min) + (t(s_max) - t(s_min)) k / (T - 1)
    of the process, T = ``train_steps``.

    Attributes:
        train_steps: number of levels T that the model was trained on.
    """

    name: ClassVar[str] = "linspace"
    reference: ClassVar[str] = _REFERENCE
    bibtex: ClassVar[str] = LIN2024COMMON

    def levels(self, points: int) -> Tensor:
        return torch.linspace(self.train_steps - 1, 0, points, dtype=torch.float64).round()


@dataclass(frozen=True)
class Leading(_Levels):
    """Multiples of the whole number T // N, for N points of T = ``train_steps`` levels.

    diffusers' "leading" (``steps_offset`` 0), DDIM's and PNDM's own. It does not start at
    s_max, though sampling starts from pure noise: the flaw that Lin et al. point out.

    Attributes:
        train_steps: number of levels T that the model was trained on.
    """

    name: ClassVar[str] = "leading"
    reference: ClassVar[str] = _REFERENCE
    bibtex: ClassVar[str] = LIN2024COMMON
    spans: ClassVar[bool] = False

    def levels(self, points: int) -> Tensor:
        return torch.arange(points - 1, -1, -1, dtype=torch.float64) * (self.train_steps // points)


@dataclass(frozen=True)
class Trailing(_Levels):
    """Steps of T / N downwards from the last level, rounded; T = ``train_steps``, N points.

    diffusers' "trailing", Lin et al.'s remedy: it starts at s_max. It ends about T / N levels
    above s_min, from where the core's final denoise is the last step.

    Attributes:
        train_steps: number of levels T that the model was trained on.
    """

    name: ClassVar[str] = "trailing"
    reference: ClassVar[str] = _REFERENCE
    bibtex: ClassVar[str] = LIN2024COMMON
    spans: ClassVar[bool] = False

    def levels(self, points: int) -> Tensor:
        done = torch.arange(points, dtype=torch.float64) * (self.train_steps / points)
        return (self.train_steps - done).round() - 1
