"""What multistep methods remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.core.process import Time


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Where the network was evaluated and what it gave: D, eps or a drift, as the method wants."""

    time: Time
    value: Tensor


@dataclass(frozen=True, eq=False)
class History:
    """The last evaluations of a run, the newest first, and the steps that are left.

    The state of a multistep method: ``start`` returns ``History.of(times)``, ``step`` calls
    ``added`` with the new evaluation and returns ``stepped``.
    """

    left: int
    past: tuple[Evaluation, ...] = ()

    @staticmethod
    def of(times: Sequence[Time]) -> History:
        """The empty history at the start of the grid ``times``."""
        return History(len(times) - 1)

    def added(self, time: Time, value: Tensor, keep: int) -> History:
        """The history with a new evaluation in front, cut to the newest ``keep``."""
        return History(self.left, (Evaluation(time, value), *self.past)[:keep])

    def stepped(self) -> History:
        """The history when the step is done."""
        return History(self.left - 1, self.past)

    def order(self, highest: int, lower_order_final: bool) -> int:
        """The order that this step can have.

        At most one for each evaluation at hand, and with ``lower_order_final`` at most one for
        each step left: the safeguard of few steps in the DPM-Solver family.
        """
        order = min(highest, len(self.past))
        return min(order, self.left) if lower_order_final else order
