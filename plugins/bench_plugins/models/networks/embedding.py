"""Features of the noise level that condition a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NoiseEmbedding(nn.Module):
    """Sines and cosines of c_noise at fixed geometric frequencies, then a two-layer MLP.

    c_noise = ln(s)/4 spans about [-1.6, 1.1] for s in [0.002, 80]; frequencies from 1 to 32
    rad per unit resolve changes of s by a few per cent and stay smooth between them, which
    solvers of high order need. The frequencies are a buffer, so weights files carry them.
    """

    frequencies: Tensor

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        exponents = torch.linspace(0.0, 5.0, features // 2)
        self.register_buffer("frequencies", torch.exp2(exponents))
        self.hidden = nn.Linear(2 * (features // 2), width)
        self.output = nn.Linear(width, width)

    def forward(self, c_noise: Tensor) -> Tensor:
        """(n,) noise conditions -> (n, width) embeddings."""
        angles = c_noise[:, None] * self.frequencies
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        hidden = nn.functional.silu(self.hidden(waves))
        return nn.functional.silu(self.output(hidden))
