"""Mochi's linear-quadratic grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.api import NoiseProcess, Time, TimeGrid, require
from bench_plugins.schedules.papers import GENMO2024MOCHI, POLYAK2024
from bench_plugins.schedules.shares import times_at_shares


@dataclass(frozen=True)
class LinearQuadratic(TimeGrid):
    """Small equal steps of u = s / (1 + s) at first, then steps that grow quadratically.

    The share of the way that is behind after i of N steps is threshold i / L up to L = N // 2, and
    threshold i / L + a (i - L)^2 beyond, a such that it ends with 1: one curve without a kink.

    Attributes:
        threshold: the share that the linear half takes, below 1/3; 0.025 in Mochi.
    """

    name: ClassVar[str] = "linear_quadratic"
    reference: ClassVar[str] = (
        "Genmo 2024, Mochi 1 (code, linear_quadratic_schedule); "
        "Polyak et al. 2024, arXiv:2410.13720, Movie Gen"
    )
    bibtex: ClassVar[str] = GENMO2024MOCHI + POLYAK2024

    threshold: float = 0.025

    def __post_init__(self) -> None:
        require(0 < self.threshold < 1 / 3, "threshold must lie between 0 and 1/3")

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        i, linear = np.arange(1, steps, dtype=np.float64), max(1, steps // 2)
        rate = self.threshold / linear
        growth = (1 - rate * steps) / max(1, steps - linear) ** 2
        behind = rate * i + growth * np.maximum(0.0, i - linear) ** 2
        return times_at_shares(process, 1 - behind, s_min, s_max)
