"""Eight Gaussians on a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench_plugins.points.point_set import NoisySet
from bench_plugins.points.ribbon import Ribbon


@dataclass(frozen=True)
class EightGaussians(NoisySet):
    """Eight equal isotropic Gaussians on a circle of radius 2.

    Attributes:
        noise: their standard deviation, 0.02 to 1 (FFJORD's is 0.25 at this radius).
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "eight_gaussians"

    noise: float = 0.25

    def distribution(self) -> Ribbon:
        angle = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
        nodes = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)

        def place(u: Tensor) -> Tensor:
            return nodes[(u[:, 0] * 8).long().clamp_max(7)]

        return Ribbon(nodes, torch.full_like(angle, -math.log(8)), self.noise**2, place)
