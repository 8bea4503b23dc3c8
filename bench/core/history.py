"""The memory of multistep methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.core.process import Time


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A point of time and the network's value there: D, eps or a drift, as the method wants."""

    time: Time
    value: Tensor


Past = tuple[Evaluation, ...]
"""Evaluations, the newest first."""


@dataclass(frozen=True, eq=False)
class History:
    """The last evaluations of a run and the number of steps left."""

    left: int
    past: Past = ()

    @staticmethod
    def of(times: Sequence[Time]) -> History:
        """The empty history at the start of the grid ``times``."""
        return History(len(times) - 1)

    def push(self, time: Time, value: Tensor, keep: int) -> History:
        """Put a new evaluation in front and keep the newest ``keep``."""
        return History(self.left, (Evaluation(time, value), *self.past)[:keep])

    def advance(self) -> History:
        """Count one step as done."""
        return History(self.left - 1, self.past)

    def order(self, max_order: int, lower_order_final: bool = False) -> int:
        """The number of evaluations that this step may combine.

        At most ``max_order`` and those at hand; with ``lower_order_final`` at most the steps left,
        the safeguard of few steps in the DPM-Solver family.
        """
        order = min(max_order, len(self.past))
        return min(order, self.left) if lower_order_final else order


def weighted_terms(
    weights: Sequence[float], past: Sequence[Evaluation]
) -> list[tuple[float, Tensor]]:
    """Pair ``weights`` with the values of ``past``, as terms of ``combine``."""
    return [(w, e.value) for w, e in zip(weights, past, strict=True)]
