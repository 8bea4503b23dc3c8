"""RES4LYF's grid of two arc tangents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.api import NoiseProcess, Time, TimeGrid, require
from bench_plugins.schedules.papers import RES4LYF2024
from bench_plugins.schedules.shares import Array, times_at_shares


@dataclass(frozen=True)
class BongTangent(TimeGrid):
    """Shares of u = s / (1 + s) along an arc tangent down to ``middle``, and along another to 0.

    The first falls faster and faster, the second ever slower: many points at both ends, few in the
    middle. Of the M = N + 2 indices the first M pivot belong to the first curve; the curves meet
    in one point, so that N + 1 remain.

    Attributes:
        pivot: share of the steps that the first curve takes.
        middle: share of u at which the curves meet.
        slope_1: steepness of the first curve, per step of a grid of 40; 0 would be a line.
        slope_2: that of the second.
    """

    name: ClassVar[str] = "bong_tangent"
    reference: ClassVar[str] = "ClownsharkBatwing 2024, RES4LYF, bong_tangent_scheduler"
    bibtex: ClassVar[str] = RES4LYF2024

    pivot: float = 0.6
    middle: float = 0.5
    slope_1: float = 0.2
    slope_2: float = 0.2

    def __post_init__(self) -> None:
        require(0 < self.pivot < 1, "pivot must be between 0 and 1")
        require(0 < self.middle < 1, "middle must be between 0 and 1")
        require(self.slope_1 > 0 and self.slope_2 > 0, "slopes must be > 0")

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        if steps == 1:  # no point between the ends, and no second curve
            return process.at_s(s_max), process.at_s(s_min)
        points = steps + 2
        first = min(max(2, int(points * self.pivot)), points - 2)
        per_step = 40 / points
        # The first curve is steepest just beyond its last point, the second at its first.
        fall = _fall(np.arange(-first, 0, dtype=np.float64), self.slope_1 * per_step)
        rest = _fall(np.arange(points - first, dtype=np.float64), self.slope_2 * per_step)
        upper = self.middle + (1 - self.middle) * fall[1:-1]
        return times_at_shares(
            process, np.concatenate([upper, self.middle * rest[:-1]]), s_min, s_max
        )


def _fall(places: Array, slope: float) -> Array:
    """-atan(slope place), stretched to go from 1 to 0."""
    curve = -np.arctan(slope * places)
    fall: Array = (curve - curve[-1]) / (curve[0] - curve[-1])
    return fall
