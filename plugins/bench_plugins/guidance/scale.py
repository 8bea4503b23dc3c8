"""Guidance by a scale: its schedule over time, and the interval in which it acts."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

import torch
from torch import Tensor

from bench.api import Given, Guidance, Guided, Passes, UnsupportedError, require, rows_of

M = TypeVar("M")
Call = Callable[[Given, Tensor, Tensor], Guided]

_SLACK = 1e-6
"""Of the ends of an interval, so that a level in float32 lies where it does in float64."""


@dataclass(frozen=True)
class ScaledGuidance(Guidance[M]):
    """A guidance with a scale that may change over time.

    At noise-to-signal ratio s, of flow time u = s / (1 + s) in (0, 1), the scale is
    w(u) = neutral + (scale - neutral) shape(u). ``neutral`` is the scale that guides not at all.

    Attributes:
        scale: w.
        schedule: shape(u): 1 (``constant``), 1 - u (``linear``), (1 + cos pi u) / 2 (``cosine``)
            or (1 - u)^power (``power``); all but the first grow from noise to data.
        power: the exponent of ``power``; 2 for all others.
        s_low, s_high: there is guidance where s_low < s <= s_high, and none elsewhere (Kynkaanniemi
            et al. 2024, arXiv:2404.07724, Eq. 5 and 6). ``None``: no upper end.
    """

    neutral: ClassVar[float] = 1.0

    scale: float = 2.0
    schedule: Literal["constant", "linear", "cosine", "power"] = "constant"
    power: float = 2.0
    s_low: float = 0.0
    s_high: float | None = None

    def __post_init__(self) -> None:
        require(math.isfinite(self.scale), "scale must be a finite number")
        require(0 < self.power < math.inf, "power must be > 0")
        require(
            self.schedule == "power" or self.power == 2.0, "power needs schedule: power; drop it"
        )
        high = math.inf if self.s_high is None else self.s_high
        require(0 <= self.s_low < high, "0 <= s_low < s_high must hold")

    @property
    def constant(self) -> float | None:
        """The scale, if it is the same within the interval."""
        return self.scale if self.schedule == "constant" or self.scale == self.neutral else None

    @property
    def tilt(self) -> float | None:
        """w, where it is meant to give samples of p(x) p(c | x)^w; ``None``: no such w."""
        return None

    @property
    def varies(self) -> bool:
        return self.s_low > 0 or self.s_high is not None

    def passes_at(self, s: float) -> Passes:
        inside = not self.varies or bool(self._within(torch.tensor(s, dtype=torch.float64)))
        return self.passes if inside else self.outside_passes

    @property
    def outside_passes(self) -> Passes:
        """Passes of one call without guidance."""
        return Passes()

    def weights(self, s: Tensor, y: Tensor) -> float | Tensor:
        """w at ``s``: a number, or of a shape that broadcasts over ``y``."""
        if self.constant is not None:
            return self.constant
        rest = 1 / (1 + rows_of(s, y))  # 1 - u
        shape = rest
        if self.schedule == "cosine":
            shape = (1 - torch.cos(math.pi * rest)) / 2
        elif self.schedule == "power":
            shape = rest**self.power
        return self.neutral + (self.scale - self.neutral) * shape

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: M) -> Guided:
        def inside(own: Given, y: Tensor, s: Tensor) -> Guided:
            return self.inside(own, y, s, self.weights(s, y), memory)

        if not self.varies:
            return inside(given, y, s)
        # Reading s waits for the device: it decides which networks run.
        if s.ndim and memory is not None:
            raise UnsupportedError(
                f"guidance '{self.name}' has a memory and an interval, and this solver takes "
                "noise levels of its own for each sample; drop one"
            )
        return choose(self._within(s), inside, self.outside, given, y, s)

    @abstractmethod
    def inside(self, given: Given, y: Tensor, s: Tensor, w: float | Tensor, memory: M) -> Guided:
        """The guided D with scale ``w``."""

    def outside(self, given: Given, y: Tensor, s: Tensor) -> Guided:
        """D without guidance: that of the class."""
        d = given.conditional(y, s)
        return Guided(d, d)

    def _within(self, s: Tensor) -> Tensor:
        high = math.inf if self.s_high is None else self.s_high
        return (s > self.s_low * (1 + _SLACK)) & (s <= high * (1 + _SLACK))


def choose(mask: Tensor, yes: Call, no: Call, given: Given, y: Tensor, s: Tensor) -> Guided:
    """The result of ``yes`` for the rows of ``mask``, () or (n,), and of ``no`` for the others.

    Each is called for its own rows alone, so that nothing is evaluated that is not used.
    """
    share = mask.to(torch.float64).mean().item()
    if share in (0.0, 1.0):
        return (yes if share else no)(given, y, s)
    one, two = mask.nonzero()[:, 0], (~mask).nonzero()[:, 0]
    parts = [call(given.of_rows(rows), y[rows], s[rows]) for call, rows in ((yes, one), (no, two))]
    back = torch.cat([one, two]).argsort()
    return Guided(*(torch.cat(both)[back] for both in zip(*parts, strict=True)))


def blend(unguided: Tensor, guided: Tensor, w: float | Tensor) -> Tensor:
    """unguided + w (guided - unguided)."""
    return torch.lerp(unguided, guided, w)
