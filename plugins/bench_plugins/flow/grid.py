"""Flow matching's shifted grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, require, times_at_levels, unit_interval
from bench_plugins.flow.papers import ESSER2024SCALING


@dataclass(frozen=True)
class FlowShift(TimeGrid):
    """Equal steps of rectified flow's time u = s / (1 + s), shifted towards the noise.

    The shift u' = shift u / (1 + (shift - 1) u) multiplies s by ``shift``, so that the grid is
    uniform in v = s / (shift + s). v runs from its value at s_max to that at s_min: the ends
    stay exactly these whatever the shift, where the authors' own run over all of [0, 1].

    Attributes:
        shift: how much more noise the inner points have; 1 is uniform in u, SD3 uses 3.
    """

    name: ClassVar[str] = "flow_shift"
    reference: ClassVar[str] = "Esser et al. 2024, arXiv:2403.03206, Eq. 23"
    bibtex: ClassVar[str] = ESSER2024SCALING

    shift: float = 1.0

    def __post_init__(self) -> None:
        require(self.shift > 0, "shift must be > 0")

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        high, low = s_max / (self.shift + s_max), s_min / (self.shift + s_min)
        v = high + unit_interval(steps)[1:-1] * (low - high)
        inner = self.shift * v / (1 - v)
        return process.at_s(s_max), *times_at_levels(process, inner), process.at_s(s_min)
