"""Sizes and parts of an `NCSNpp`, and its noise levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench.api import require


@dataclass(frozen=True)
class NCSNppConfig:
    """Sizes and parts of an `NCSNpp`; the defaults are those of CIFAR-10, NCSN++ cont.

    Attributes:
        image_size: height and width. channels: of the image.
        nf: width of the first level. ch_mult: widths of all levels in units of nf.
        num_res_blocks: residual blocks of a level. attn_resolutions: levels with attention.
        embedding: of the noise level: Gaussian Fourier features of ln(sigma), or DDPM's sines of
            the time label. fourier_scale: standard deviation of the former's frequencies (they
            are read from the file).
        resblock: `biggan` (resamples inside of blocks) or `ddpm`.
        resamp_with_conv: whether DDPM's resampling has a convolution.
        fir: whether resampling is filtered, by fir_taps.
        skip_rescale: whether sums are divided by the root of two.
        progressive: how the output is made (`none`, `output_skip` or `residual`).
        progressive_input: how the input enters the levels (`none`, `input_skip` or `residual`).
        combine: how an input_skip enters, as a sum or as further channels.
        scale_by_sigma: whether the output is divided by sigma.
        centered: whether images are in [-1, 1]; else they are in [0, 1].
        conditional: whether the network sees the noise level at all.
        sigma_min, sigma_max, num_scales: the trained levels, in the units of the images.
        dropout: share of activations dropped in training, before each block's second convolution.
    """

    image_size: int = 32
    channels: int = 3
    nf: int = 128
    ch_mult: tuple[int, ...] = (1, 2, 2, 2)
    num_res_blocks: int = 4
    attn_resolutions: tuple[int, ...] = (16,)
    embedding: Literal["fourier", "positional"] = "fourier"
    fourier_scale: float = 16.0
    resblock: Literal["biggan", "ddpm"] = "biggan"
    resamp_with_conv: bool = True
    fir: bool = True
    fir_taps: tuple[int, ...] = (1, 3, 3, 1)
    skip_rescale: bool = True
    progressive: Literal["none", "output_skip", "residual"] = "none"
    progressive_input: Literal["none", "input_skip", "residual"] = "residual"
    combine: Literal["sum", "cat"] = "sum"
    scale_by_sigma: bool = True
    centered: bool = False
    conditional: bool = True
    sigma_min: float = 0.01
    sigma_max: float = 50.0
    num_scales: int = 1000
    dropout: float = 0.0

    def __post_init__(self) -> None:
        require(self.nf >= 8 and self.nf % 4 == 0, "nf must be a multiple of 4, at least 8")
        require(
            len(self.ch_mult) > 0 and self.image_size % 2 ** (len(self.ch_mult) - 1) == 0,
            "image_size must be divisible by two as often as there are levels",
        )
        require(min(self.ch_mult, default=0) >= 1, "ch_mult must be >= 1")
        require(
            self.channels >= 1 and 1 <= self.num_res_blocks <= 64 and len(self.ch_mult) <= 16,
            "there must be channels, 1 to 64 blocks, and at most 16 levels",
        )
        taps = self.fir_taps
        require(
            len(taps) >= 2 and len(taps) % 2 == 0 and taps == taps[::-1] and sum(taps) > 0,
            "fir_taps must be symmetric and of even length",
        )
        require(0 < self.sigma_min < self.sigma_max, "0 < sigma_min < sigma_max must hold")
        require(self.num_scales >= 2, "num_scales must be >= 2")
        require(0 <= self.dropout < 1, "dropout must be in [0, 1)")
        require(
            not (self.fir and self.progressive == "residual"),
            "progressive 'residual' with fir is not known (the authors' own does not run)",
        )
        require(
            not (self.fir and self.resblock == "ddpm" and self.resamp_with_conv),
            "resblock 'ddpm' with fir needs resamp_with_conv: false (their own does not run)",
        )


def trained_levels(config: NCSNppConfig) -> Tensor:
    """The noise levels of label 0, 1, ..., falling, float64, (num_scales,)."""
    ends = math.log(config.sigma_max), math.log(config.sigma_min)
    return torch.linspace(*ends, config.num_scales, dtype=torch.float64).exp()
