"""The cosine schedule in continuous time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import NoiseProcess, require
from bench_plugins.iddpm.papers import NICHOL2021IMPROVED


@dataclass(frozen=True)
class CosineVP(NoiseProcess):
    """Variance preserving with alpha(t) = cos(u(t)) / cos(u(0)), u(t) = pi/2 (t + c) / (1 + c).

    t ends where the half log-SNR is -5.1 (alpha vanishes at t = 1), DPM-Solver's clipping.

    Attributes:
        offset: the paper's small offset c (its s), which keeps beta positive at t = 0.
    """

    name: ClassVar[str] = "vp_cosine"
    reference: ClassVar[str] = "Nichol and Dhariwal 2021, arXiv:2102.09672, Eq. 17"
    bibtex: ClassVar[str] = NICHOL2021IMPROVED

    offset: float = 0.008

    def __post_init__(self) -> None:
        require(0 < self.offset < 1, "offset must lie between 0 and 1")

    @property
    def t_min(self) -> float:
        return 1e-5

    @property
    def t_max(self) -> float:
        angle = math.acos(math.cos(self._start) / math.sqrt(1 + math.exp(2 * 5.1)))
        return angle / self._start * self.offset - self.offset

    @property
    def _start(self) -> float:
        return math.pi / 2 * self.offset / (1 + self.offset)

    def _angle(self, t: Tensor) -> Tensor:
        return math.pi / 2 * (t + self.offset) / (1 + self.offset)

    def alpha(self, t: Tensor) -> Tensor:
        return self._angle(t).cos() / math.cos(self._start)

    def sigma(self, t: Tensor) -> Tensor:
        # cos^2(a) - cos^2(b) = sin(b + a) sin(b - a): without cancellation near t = 0.
        angle = self._angle(t)
        swing = math.pi / 2 * t / (1 + self.offset)
        return ((angle + self._start).sin() * swing.sin()).sqrt() / math.cos(self._start)

    def time_at(self, s: Tensor) -> Tensor:
        # alpha^2 = 1 / (1 + s^2) gives the angle b: sin^2 b = sin^2 a + s^2 / (1 + s^2) cos^2 a.
        share = s * s / (1 + s * s)
        sine2 = math.sin(self._start) ** 2 + share * math.cos(self._start) ** 2
        cosine2 = math.cos(self._start) ** 2 / (1 + s * s)
        angle = (sine2 / cosine2).sqrt().atan()
        return angle * (1 + self.offset) * (2 / math.pi) - self.offset
