"""The denoiser as a foreign sampler calls it: every call is checked and counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.api import BenchError, Problem, Time

CHURN = math.sqrt(2) + 1e-3
"""The most by which churn raises a level (Karras et al. 2022, Algorithm 2), with some slack."""

_FEW = 50
"""Levels of a grid whose functions cannot end soon; of two levels, a tolerance may need many."""


@dataclass(frozen=True, eq=False)
class Network:
    """D of a batch in y = x/alpha, for a function of the user's.

    Attributes:
        path: the function, for messages.
        problem: that of the batch.
        like: the state: a tensor of shape (n, *shape) on the device, of the dtype.
        times: the grid; levels between its ends may be evaluated, and above it as far as churn
            goes.
        widens: whether states of another floating dtype are rounded to the state's own, instead
            of refused.
        levels: s of each call, in order; of several in one call the largest.
    """

    path: str
    problem: Problem
    like: Tensor
    times: Sequence[Time]
    widens: bool = False
    levels: list[float] = field(default_factory=list)

    def denoise(self, y: object, s: object) -> Tensor:
        """D(y; s) for s of shape (n,), equal or not. One evaluation of each sample.

        Raises:
            BenchError: the call is wrong: its shape, dtype, device or level.
        """
        state, level = self._state(y), self._level(s)
        with torch._C.DisableTorchFunction():
            lowest, highest = float(level.min()), float(level.max())
        return self._ask(state, level[0] if lowest == highest else level, lowest, highest)

    def denoise_at(self, y: object, s: float) -> Tensor:
        """D(y; s) for a number s, which no device has to be waited for."""
        level = torch.full((), s, dtype=self.like.dtype, device=self.like.device)
        return self._ask(self._state(y), level, s, s)

    def _ask(self, y: Tensor, level: Tensor, lowest: float, highest: float) -> Tensor:
        self._check_range(lowest, highest)
        if len(self.levels) >= 1000 * max(len(self.times), _FEW):
            raise self._fault(f"calls the model {len(self.levels)} times and does not end")
        self.levels.append(highest)
        # Calls of the network are no business of what serves the function's noise.
        with torch._C.DisableTorchFunction():
            return self.problem.model(y, level)

    def _state(self, y: object) -> Tensor:
        like = self.like
        if not isinstance(y, Tensor):
            raise self._fault(f"calls the model with a state that is {_kind(y)}, no tensor")
        if y.shape != like.shape:
            raise self._fault(
                f"calls the model with a state of shape {tuple(y.shape)}, not {tuple(like.shape)}"
            )
        if y.device != like.device:
            raise self._fault(f"calls the model with a state on {y.device}, not {like.device}")
        if y.dtype != like.dtype and not (self.widens and y.dtype.is_floating_point):
            raise self._fault(f"calls the model with a state of {y.dtype} in a run of {like.dtype}")
        return y.to(like.dtype)

    def _level(self, s: object) -> Tensor:
        if not isinstance(s, Tensor) or s.numel() != self.like.shape[0]:
            shape = tuple(s.shape) if isinstance(s, Tensor) else _kind(s)
            raise self._fault(
                f"calls the model with a noise level that is {shape}, no tensor of shape "
                f"({self.like.shape[0]},)"
            )
        return s.flatten().to(self.like.device, self.like.dtype)

    def _check_range(self, lowest: float, highest: float) -> None:
        low, high = self.times[-1].s, self.times[0].s
        if not (lowest >= low * (1 - 1e-4) and highest <= high * CHURN):
            wrong = lowest if not lowest >= low * (1 - 1e-4) else highest
            raise self._fault(
                f"calls the model at noise level {wrong:g}; the grid goes from {high:g} to {low:g}"
            )

    def _fault(self, text: str) -> BenchError:
        return BenchError(f"function: '{self.path}' {text}")

    def spread(self, s: object) -> object:
        """``s``, a tensor of one entry, as one of shape (n,); anything else as it is."""
        return s.reshape(1).expand(len(self.like)) if _single(s) else s  # type: ignore[attr-defined]


def _single(value: object) -> bool:
    return isinstance(value, Tensor) and value.numel() == 1


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
