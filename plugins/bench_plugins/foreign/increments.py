"""Noise for k-diffusion's ``noise_sampler(sigma, sigma_next)``: of a draw each, or of one path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from bench.api import BrownianPath, UnsupportedError

Draw = Callable[[], Tensor]
Correlation = Literal["independent", "brownian"]


@dataclass(frozen=True, eq=False)
class Increments(ABC):
    """Standard normal noise of intervals of sigma, for the functions of one call.

    Attributes:
        draw: the next standard normal draw.
    """

    draw: Draw

    @abstractmethod
    def __call__(self, sigma: Any, sigma_next: Any) -> Tensor:
        """The noise of the interval, of variance one."""


@dataclass(frozen=True, eq=False)
class Independent(Increments):
    """A draw of its own for every call, as of k-diffusion's `default_noise_sampler`."""

    def __call__(self, sigma: Any, sigma_next: Any) -> Tensor:
        return self.draw()


@dataclass(frozen=True, eq=False)
class Disjoint(Increments):
    """The same, where it cannot differ from a Brownian path's: no two intervals overlap."""

    intervals: list[tuple[float, float]] = field(default_factory=list)

    def __call__(self, sigma: Any, sigma_next: Any) -> Tensor:
        low, high = sorted(_numbers(sigma, sigma_next))
        slack = 1e-5 * high
        for lowest, highest in self.intervals:
            if low < highest - slack and lowest < high - slack:
                raise UnsupportedError(
                    f"function: noise is wanted for sigma from {high:g} to {low:g}, and was for "
                    f"{highest:g} to {lowest:g}, which overlap; say if both are increments of one "
                    "path (noise: brownian) or not (noise: independent)"
                )
        self.intervals.append((low, high))
        return self.draw()


class Brownian(Increments):
    """Increments of one Brownian path in sigma, as of k-diffusion's Brownian tree."""

    @cached_property
    def _path(self) -> BrownianPath:
        return BrownianPath(self.draw)

    def __call__(self, sigma: Any, sigma_next: Any) -> Tensor:
        return self._path(*_numbers(sigma, sigma_next))


CORRELATIONS: Mapping[Correlation | None, type[Increments]] = {
    None: Disjoint,
    "independent": Independent,
    "brownian": Brownian,
}


def _numbers(sigma: Any, sigma_next: Any) -> tuple[float, float]:
    with torch._C.DisableTorchFunction():
        return float(sigma), float(sigma_next)
