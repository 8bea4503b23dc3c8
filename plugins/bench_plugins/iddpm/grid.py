"""The grid of the cosine schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, times_at_levels, unit_interval
from bench_plugins.iddpm.papers import NICHOL2021IMPROVED


@dataclass(frozen=True)
class Cosine(TimeGrid):
    """Uniform in the angle arctan s: equal steps of the cosine schedule, under any process.

    alpha = cos(angle) and sigma = sin(angle) make s = tan(angle). The paper's offset, which only
    keeps beta positive at t = 0, is left out. With it, and rounded to 1000 levels, these are
    the time steps that Karras et al. 2022 (arXiv:2206.00364, Table 1) list for iDDPM: the grid
    ``linspace`` under the process ``vp_cosine``.
    """

    name: ClassVar[str] = "cosine"
    reference: ClassVar[str] = "Nichol and Dhariwal 2021, arXiv:2102.09672, Eq. 17"
    bibtex: ClassVar[str] = NICHOL2021IMPROVED

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        high, low = math.atan(s_max), math.atan(s_min)
        inner = (high + unit_interval(steps)[1:-1] * (low - high)).tan()
        return process.at_s(s_max), *times_at_levels(process, inner), process.at_s(s_min)
