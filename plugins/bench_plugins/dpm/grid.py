"""Grids uniform in the logarithm of the noise level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, paper, times_at_levels, unit_interval
from bench_plugins.dpm.papers import LU2022DPMSOLVER


@dataclass(frozen=True)
class LogSnr(TimeGrid):
    """Uniform in the half log-SNR lambda = -ln s."""

    name: ClassVar[str] = "log_snr"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2206.00927, Section 3.4"
    bibtex: ClassVar[str] = LU2022DPMSOLVER

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        log_s = math.log(s_max) + unit_interval(steps)[1:-1] * math.log(s_min / s_max)
        return process.at_s(s_max), *times_at_levels(process, log_s.exp()), process.at_s(s_min)


@dataclass(frozen=True)
class Exponential(LogSnr):
    """Geometric in the noise level s, k-diffusion's "exponential" schedule.

    Since lambda = -ln s, these are the points of ``log_snr`` under the name that k-diffusion and
    diffusers give them. They are also the time steps of the VE column of Karras et al. 2022
    (arXiv:2206.00364, Table 1), where sigma^2 is geometric.
    """

    name: ClassVar[str] = "exponential"
    reference: ClassVar[str] = "Song and Ermon 2019, arXiv:1907.05600, Section 4.3"
    bibtex: ClassVar[str] = paper("song2019generative")
