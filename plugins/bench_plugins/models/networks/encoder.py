"""The way down of the small U-Net as a classifier, of noised samples or of clean images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.models.networks.embedding import NoiseEmbedding
from bench_plugins.models.networks.precond import Preconditioning
from bench_plugins.models.networks.unet import Attention, ResidualBlock, UNetConfig

CLEAN = 0.002
"""Noise level at which clean images are classified, the lower end of EDM's range."""


class Encoder(nn.Module):
    """Logits of p(c | y; s), from the way down of a `UNet` and a mean over positions.

    Dhariwal & Nichol 2021 (arXiv:2105.05233), section 4.1, in small. The input is scaled to unit
    variance at every noise level, as `EdmDenoiser` does it. Everything is differentiable in y.
    """

    def __init__(self, config: UNetConfig, preconditioning: Preconditioning, classes: int) -> None:
        super().__init__()
        self.config, self.preconditioning, self.classes = config, preconditioning, classes
        fine, coarse = config.fine, config.coarse
        self.embedding = NoiseEmbedding(config.features, config.embedding)
        self.stem = nn.Conv2d(4 * config.image[0], fine, 3, padding=1)
        self.fine = _blocks(fine, config.fine_blocks, config)
        self.downsample = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.coarse = _blocks(coarse, config.coarse_blocks, config)
        self.attention = Attention(coarse, config)
        self.norm = nn.GroupNorm(coarse // config.group, coarse)
        self.readout = nn.Linear(coarse, classes)

    def forward(self, y: Tensor, s: Tensor) -> Tensor:
        """Logits (n, classes); y (n, *image) noised samples x_0 + s eps, s of shape () or (n,)."""
        logits: Tensor = self.readout(self.pool(y, s))
        return logits

    def pool(self, y: Tensor, s: Tensor) -> Tensor:
        """Features (n, coarse)."""
        s = s.to(y.dtype)
        moments = self.preconditioning
        scale = torch.rsqrt(s * s + moments.sigma_data**2).reshape((-1,) + (1,) * (y.ndim - 1))
        embedding = self.embedding(s.flatten().log() / 4)
        hidden = self.stem(functional.pixel_unshuffle((y - moments.data_mean) * scale, 2))
        for block in self.fine:
            hidden = block(hidden, embedding)
        hidden = self.downsample(hidden)
        for block in self.coarse:
            hidden = block(hidden, embedding)
        hidden = functional.silu(self.norm(self.attention(hidden)))
        return hidden.mean(dim=(2, 3))


class CleanEncoder(nn.Module):
    """An `Encoder` of images of integer levels, at a fixed low noise level."""

    def __init__(self, encoder: Encoder, levels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.levels = levels

    def features(self, images: Tensor) -> Tensor:
        """Features (n, coarse) of uint8 images (n, channels, height, width)."""
        return self.encoder.pool(*self._clean(images))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) of uint8 images (n, channels, height, width)."""
        logits: Tensor = self.encoder(*self._clean(images))
        return logits

    def _clean(self, images: Tensor) -> tuple[Tensor, Tensor]:
        kind = self.encoder.readout.weight
        y = (images.to(kind.dtype) + 0.5) * (2.0 / self.levels) - 1.0
        return y, torch.tensor(CLEAN, dtype=kind.dtype, device=images.device)


def _blocks(channels: int, count: int, config: UNetConfig) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(channels, channels, config) for _ in range(count))
