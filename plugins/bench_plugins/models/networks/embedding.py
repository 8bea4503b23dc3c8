"""Features of noise level and class that condition a network."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bench.api import NO_CLASS


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

    def forward(self, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        """(n or 1,) noise conditions, and perhaps (n, width) of classes -> (n or 1, width)."""
        angles = c_noise[:, None] * self.frequencies
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        hidden = nn.functional.silu(self.hidden(waves))
        embedding = self.output(hidden)
        return nn.functional.silu(embedding if label is None else embedding + label)


class LabelEmbedding(nn.Module):
    """A vector for each class, zero in the beginning; that of `NO_CLASS` is always zero.

    So a network that is given one starts as the network without classes, bit for bit, and asked
    for no class it has the form of that network. Vectors are the weights times the root of their
    width: Adam moves a weight by its learning rate at most, and a vector must go far from zero.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, width))
        self.gain = math.sqrt(width)

    def forward(self, labels: Tensor | None) -> Tensor | None:
        """(n,) labels, int64, from `NO_CLASS` to classes - 1 -> (n, width); none: none."""
        if labels is None:
            return None
        known = self.gain * (labels != NO_CLASS).to(self.weight.dtype)[:, None]
        return nn.functional.embedding(labels.clamp(min=0), self.weight) * known


def label_embedding(classes: int, width: int) -> LabelEmbedding | None:
    """The embedding of so many classes; None for none."""
    return LabelEmbedding(classes, width) if classes else None


def embed(
    noise: NoiseEmbedding, label: LabelEmbedding | None, c_noise: Tensor, labels: Tensor | None
) -> Tensor:
    """The embedding of noise level and class, (n or 1, width).

    Raises:
        ValueError: there are ``labels``, and the network has no classes.
    """
    if labels is not None and label is None:
        raise ValueError("the network knows no classes, and was called with labels")
    return noise(c_noise, label(labels) if label is not None else None)  # type: ignore[no-any-return]
