"""DDIM's quadratic grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, unit_interval
from bench_plugins.ddim.papers import SONG2021DDIM


@dataclass(frozen=True)
class Quadratic(TimeGrid):
    """Uniform in the root of t: smaller steps at small times; DEIS's schedule with power 2."""

    name: ClassVar[str] = "quadratic"
    reference: ClassVar[str] = "Song, Meng and Ermon 2020, arXiv:2010.02502, Appendix D.2"
    bibtex: ClassVar[str] = SONG2021DDIM

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        start, end = process.at_s(s_max), process.at_s(s_min)
        # Measured from t = 0, where every process has its data; VE's times may begin at 0.
        high, low = max(start.t, 0.0) ** 0.5, max(end.t, 0.0) ** 0.5
        inner = (high + (low - high) * unit_interval(steps)[1:-1]) ** 2
        return (start, *(process.at(t) for t in inner.tolist()), end)
