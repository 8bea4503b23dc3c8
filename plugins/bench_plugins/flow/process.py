"""The straight-line process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import NoiseProcess
from bench_plugins.flow.papers import LIPMAN2023FLOW, LIU2023FLOW


@dataclass(frozen=True)
class RectifiedFlow(NoiseProcess):
    """alpha = 1 - t, sigma = t: the optimal-transport path of flow matching.

    Noise is at t = 1, as in rectified flow's later use (flow matching's papers run t the other
    way). s = t / (1 - t) is infinite at t = 1, so t ends at 0.9999.
    """

    name: ClassVar[str] = "rectified_flow"
    reference: ClassVar[str] = (
        "Liu et al. 2022, arXiv:2209.03003, Eq. 1; Lipman et al. 2022, arXiv:2210.02747, Eq. 20"
    )
    bibtex: ClassVar[str] = LIU2023FLOW + LIPMAN2023FLOW

    @property
    def t_min(self) -> float:
        return 1e-5

    @property
    def t_max(self) -> float:
        return 0.9999

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def sigma(self, t: Tensor) -> Tensor:
        return t

    def time_at(self, s: Tensor) -> Tensor:
        return s / (1 + s)
