"""Sizes and parts of EDM's U-Nets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.api import require


@dataclass(frozen=True)
class EdmUnetConfig:
    """Sizes and parts; the defaults are those of CIFAR-10 with DDPM++, unconditional.

    Attributes:
        img_resolution: height and width. in_channels, out_channels: of the image.
        label_dim: number of classes, 0 for none. augment_dim: size of the augmentation labels
            that it was trained with; they are zero here.
        family: `song` (DDPM++ and NCSN++) or `dhariwal` (ADM).
        model_channels: width of the first level. channel_mult: widths in units of it.
        channel_mult_emb: width of the embedding in the same units.
        num_blocks: blocks of a level. attn_resolutions: levels with attention.
        embedding_type, channel_mult_noise, encoder_type, decoder_type, resample_filter: of
            `song`; `positional`, 1, `standard`, `standard`, (1, 1) make DDPM++ and `fourier`, 2,
            `residual`, `standard`, (1, 3, 3, 1) NCSN++.
        dropout: share of activations dropped in training, before each block's second convolution.
    """

    img_resolution: int = 32
    in_channels: int = 3
    out_channels: int = 3
    label_dim: int = 0
    augment_dim: int = 0
    family: Literal["song", "dhariwal"] = "song"
    model_channels: int = 128
    channel_mult: tuple[int, ...] = (2, 2, 2)
    channel_mult_emb: int = 4
    num_blocks: int = 4
    attn_resolutions: tuple[int, ...] = (16,)
    embedding_type: Literal["positional", "fourier"] = "positional"
    channel_mult_noise: int = 1
    encoder_type: Literal["standard", "skip", "residual"] = "standard"
    decoder_type: Literal["standard", "skip"] = "standard"
    resample_filter: tuple[int, ...] = (1, 1)
    dropout: float = 0.0

    def __post_init__(self) -> None:
        require(
            min(self.in_channels, self.out_channels, self.num_blocks, self.channel_mult_emb) >= 1,
            "channels, num_blocks and channel_mult_emb must be >= 1",
        )
        require(
            self.num_blocks <= 64 and len(self.channel_mult) <= 16,
            "num_blocks must be <= 64, and levels at most 16",
        )
        require(self.label_dim >= 0 and self.augment_dim >= 0, "label sizes must be >= 0")
        require(
            self.model_channels >= 8 and self.model_channels % 4 == 0,
            "model_channels must be a multiple of 4, at least 8",
        )
        require(min(self.channel_mult, default=0) >= 1, "channel_mult must be >= 1")
        require(
            self.img_resolution % 2 ** (len(self.channel_mult) - 1) == 0,
            "img_resolution must be divisible by two as often as there are levels",
        )
        require(0 <= self.dropout < 1, "dropout must be in [0, 1)")
        require(self.channel_mult_noise in (1, 2), "channel_mult_noise must be 1 or 2")
        taps = self.resample_filter
        require(
            len(taps) >= 2 and len(taps) % 2 == 0 and taps == taps[::-1] and sum(taps) > 0,
            "resample_filter must be symmetric and of even length",
        )

    @property
    def embedding(self) -> int:
        """Width of the embedding."""
        return self.model_channels * self.channel_mult_emb

    @property
    def noise_features(self) -> int:
        """Features of the noise level."""
        factor = self.channel_mult_noise if self.family == "song" else 1
        return self.model_channels * factor
