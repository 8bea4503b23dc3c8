"""A sampler under test, in a setting that it can run in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import Denoiser, NoiseProcess, NoiseStream, Problem, Time
from bench.testing.conformance.laboratory import SHAPE, denoise


@dataclass(frozen=True)
class Trace:
    """One run.

    Attributes:
        y: x_0, or x/alpha at the end.
        levels: s of each evaluation, in order.
        draws: the source of each draw of noise, in order.
        kept: the tensor that it was handed is as it was.
    """

    y: Tensor
    levels: Sequence[float]
    draws: Sequence[str]
    kept: bool


class Subject(ABC):
    """A sampler, a process and the noise levels that it follows.

    Attributes:
        process: the noise process.
    """

    process: NoiseProcess
    order_steps: ClassVar[tuple[int, ...]]
    """Numbers of steps over which its order is measured."""
    floor: ClassVar[float]
    """Errors below it are round-off."""
    reach: ClassVar[float] = 0.3
    """The most by which the interval of an order may speak for it."""

    @property
    @abstractmethod
    def setting(self) -> str:
        """The setting that it runs in, for the page."""

    @property
    @abstractmethod
    def finishes(self) -> bool:
        """True if it ends in x_0."""

    @property
    @abstractmethod
    def stochastic(self) -> bool:
        """True if its noise decides its samples."""

    @property
    @abstractmethod
    def claimed_order(self) -> int | None:
        """The order that its parameters name, if they do."""

    @property
    def slack(self) -> float:
        """The amount by which a right method may miss its order on these levels."""
        return 0.1

    def for_order(self) -> Subject:
        """In the setting that shows its order best."""
        return self

    @abstractmethod
    def cost(self, steps: int) -> int:
        """Evaluations as counted on a free model."""

    @abstractmethod
    def times(self, steps: int) -> tuple[Time, ...]:
        """The grid of the checks."""

    @abstractmethod
    def path(self, steps: int) -> tuple[Time, ...]:
        """The grid of the order."""

    @abstractmethod
    def run(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Trace:
        """A run without the checks of its cost and grid."""

    @abstractmethod
    def weak_order(self) -> float:
        """The measured order of its moments on a Gaussian.

        Raises:
            UnsupportedError: it has none.
        """

    @abstractmethod
    def own(self) -> tuple[str, dict[str, Any]]:
        """Our solver of the same method and its parameters; "" where none is known."""

    def noise(self, count: int = 8, seed: int = 0, dtype: torch.dtype = torch.float64) -> Any:
        """A stream of sampler noise."""
        return NoiseStream(seed, "sampler", 0, count, SHAPE, dtype)

    def start(self, steps: int, count: int = 8, dtype: torch.dtype = torch.float64) -> Tensor:
        """x_T of some samples, of the grid of so many steps."""
        x = NoiseStream(0, "prior", 0, count, SHAPE, dtype).normal()
        return x * self.times(steps)[0].sigma

    def trace(
        self,
        steps: int,
        model: Denoiser = denoise,
        x: Tensor | None = None,
        noise: Any = None,
    ) -> Trace:
        """A run from ``x``, by default of eight samples."""
        x = self.start(steps) if x is None else x
        noise = self.noise(len(x), dtype=x.dtype) if noise is None else noise
        with torch.no_grad():
            return self.run(Problem(self.process, model, noise), x, self.times(steps))
