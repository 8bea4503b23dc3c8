"""The embedding of k-diffusion's networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Fourier(nn.Module):
    """Cosines and sines of 2 pi W c; W was drawn once and is read from the file."""

    weight: Tensor

    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(features // 2, inputs))

    def forward(self, c: Tensor) -> Tensor:
        """(n, inputs) -> (n, features), float64, cosines first."""
        # Sums, no matrix product: half precision must not reach the noise level.
        angles = (2 * math.pi * c.double()[:, None, :] * self.weight.double()).sum(2)
        return torch.cat([angles.cos(), angles.sin()], dim=1)
