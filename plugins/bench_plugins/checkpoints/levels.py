"""Noise levels of networks that were trained on a table of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LevelTable:
    """A rising table of noise-to-signal ratios; between two of them the label is interpolated.

    The label of s is the fraction of the way between its neighbours in ln(s), so that it is right
    at every trained level and smooth in between, which solvers of high order need. (DPM-Solver
    interpolates ln(alpha), k-diffusion ln(s), EDM rounds.)

    Attributes:
        logs: ln(s) of label 0, 1, ..., float64, (N,).
    """

    logs: Tensor

    @classmethod
    def of_betas(cls, betas: Tensor) -> LevelTable:
        """DDPM's table: alpha_i^2 is the product of 1 - beta up to i (arXiv:2006.11239)."""
        # ln(1 - alpha^2) - ln(alpha^2), without cancellation where alpha is near 1.
        log_alpha2 = torch.log1p(-betas.double()).cumsum(0)
        return cls((torch.expm1(-log_alpha2)).log() / 2)

    @classmethod
    def of_squared_alphas(cls, squares: Tensor) -> LevelTable:
        """The table of DDPM's products of 1 - beta (`alphas_cumprod`), float64, falling."""
        return cls(((1 - squares).log() - squares.log()) / 2)

    def to(self, device: torch.device) -> LevelTable:
        """The table on ``device``, where it must be for ``s`` of that device."""
        return LevelTable(self.logs.to(device))

    @property
    def s_range(self) -> tuple[float, float]:
        """The lowest and the highest level."""
        return float(self.logs[0].exp()), float(self.logs[-1].exp())

    def label(self, s: Tensor) -> Tensor:
        """The label of ``s`` (float64, (n,)), clamped to the table."""
        logs = self.logs
        wanted = s.log().clamp(logs[0], logs[-1])
        above = torch.searchsorted(logs, wanted).clamp(1, len(logs) - 1)
        low, high = logs[above - 1], logs[above]
        return above - 1 + (wanted - low) / (high - low)
