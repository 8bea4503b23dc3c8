"""The grid of Song et al. 2021: uniform in t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, paper, uniform_times


@dataclass(frozen=True)
class UniformT(TimeGrid):
    """Equal steps of t between the times of s_max and s_min.

    Under ``vp``, the time steps of the VP column of Karras et al. 2022 (arXiv:2206.00364, Table 1).
    """

    name: ClassVar[str] = "uniform_t"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Algorithms 2 and 3"
    bibtex: ClassVar[str] = paper("song2021score")

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        return uniform_times(process, steps, s_min, s_max)
