"""A residual multi-layer perceptron for small samples such as 8x8 digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.models.networks.embedding import NoiseEmbedding, embed, label_embedding


@dataclass(frozen=True)
class MLPConfig:
    """Sizes of an `MLP`; the defaults are those of the shipped digits network.

    sample: shape of one sample. width: hidden units. blocks: residual blocks.
    embedding: width of the noise embedding; features: Fourier features of the noise level.
    classes: number of classes to condition on, 0 for none.
    """

    sample: tuple[int, ...] = (1, 8, 8)
    width: int = 128
    blocks: int = 3
    embedding: int = 64
    features: int = 16
    classes: int = 0

    def __post_init__(self) -> None:
        if min(*self.sample, self.width, self.blocks, self.embedding, self.features) < 1:
            raise ValueError(f"MLP: every size must be at least 1, got {self}")


class ResidualBlock(nn.Module):
    """x + W2 SiLU(scale * W1 norm(x) + shift), scale and shift from the noise embedding."""

    def __init__(self, config: MLPConfig) -> None:
        super().__init__()
        width = config.width
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, width)
        self.condition = nn.Linear(config.embedding, 2 * width)
        self.contract = nn.Linear(width, width)
        nn.init.zeros_(self.contract.weight)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, width) -> (n, width); embedding (n or 1, width of the embedding)."""
        scale, shift = self.condition(embedding).chunk(2, dim=1)
        hidden = torch.addcmul(shift, self.expand(self.norm(x)), scale + 1)
        residual: Tensor = x + self.contract(functional.silu(hidden))
        return residual


class MLP(nn.Module):
    """The raw network F(x; c_noise) of `EdmDenoiser`, for one `MLPConfig`."""

    def __init__(self, config: MLPConfig) -> None:
        super().__init__()
        self.config = config
        entries = math.prod(config.sample)
        self.embedding = NoiseEmbedding(config.features, config.embedding)
        self.stem = nn.Linear(entries, config.width)
        self.blocks = nn.ModuleList(ResidualBlock(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, entries)
        nn.init.zeros_(self.head.weight)
        self.label = label_embedding(config.classes, config.embedding)

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """F of the batch: x (n, *sample), c_noise (n,) or (1,), labels (n,) -> (n, *sample)."""
        embedding = embed(self.embedding, self.label, c_noise, labels)
        hidden = self.stem(x.flatten(1))
        for block in self.blocks:
            hidden = block(hidden, embedding)
        return self.head(self.norm(hidden)).reshape(x.shape)  # type: ignore[no-any-return]
