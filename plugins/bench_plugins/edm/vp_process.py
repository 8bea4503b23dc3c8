"""The variance-preserving process whose ends are EDM's noise levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import NoiseProcess, paper, require


@dataclass(frozen=True)
class EdmVP(NoiseProcess):
    """VP with linear beta between given noise levels: s(t_first) = s_low and s(1) = s_high.

    alpha = exp(-B / 2), sigma^2 = 1 - exp(-B), B = low t + slope t^2 / 2 with the two numbers that
    the ends determine. For EDM's levels ``low`` is -0.005, which ``vp`` does not take: B falls
    only below t = 2.7e-4, before the process begins. diff-sampler measured DEIS under this
    process (its `time_uniform` schedule is uniform in t, or in a root of it).

    Attributes:
        s_low, s_high: the noise-to-signal ratios at the ends.
        t_first: the least time.
    """

    name: ClassVar[str] = "edm_vp"
    reference: ClassVar[str] = (
        "Karras et al. 2022, arXiv:2206.00364, Table 1 (VP); Zhou et al. 2023, arXiv:2312.00094"
    )
    bibtex: ClassVar[str] = paper("karras2022elucidating") + paper("zhou2024fast")

    s_low: float = 0.002
    s_high: float = 80.0
    t_first: float = 1e-3

    def __post_init__(self) -> None:
        require(0 < self.s_low < self.s_high, "0 < s_low < s_high must hold")
        require(0 < self.t_first < 1, "t_first must be in (0, 1)")
        low, slope = self._coefficients
        require(slope > 0, "s_low is too large for t_first: beta would fall with t")
        require(low + slope * self.t_first > 0, "s_low is too small for t_first: beta < 0 there")

    @property
    def _coefficients(self) -> tuple[float, float]:
        """``low`` and ``slope`` of beta(t) = low + slope t."""
        first, last = math.log1p(self.s_low**2), math.log1p(self.s_high**2)
        slope = 2 * (last - first / self.t_first) / (1 - self.t_first)
        return last - slope / 2, slope

    @property
    def t_min(self) -> float:
        return self.t_first

    @property
    def t_max(self) -> float:
        return 1.0

    def alpha(self, t: Tensor) -> Tensor:
        return (-0.5 * self._integral(t)).exp()

    def sigma(self, t: Tensor) -> Tensor:
        return (-torch.expm1(-self._integral(t))).sqrt()

    def time_at(self, s: Tensor) -> Tensor:
        low, slope = self._coefficients
        b = (s * s).log1p()
        # Positive root of slope/2 t^2 + low t = b.
        return ((low**2 + 2 * slope * b).sqrt() - low) / slope

    def _integral(self, t: Tensor) -> Tensor:
        low, slope = self._coefficients
        return t * (low + 0.5 * slope * t)
