"""The U-Net of an `ImageV1Config`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.image_v1.blocks import Attention, Resample, ResBlock, Stage
from bench_plugins.checkpoints.networks.image_v1.config import ImageV1Config
from bench_plugins.checkpoints.networks.image_v1.fourier import Fourier


class UNet(nn.Module):
    """The levels, from the highest resolution to the lowest and back."""

    def __init__(self, config: ImageV1Config) -> None:
        super().__init__()
        levels = range(len(config.depths))
        self.skip_stages = config.skip_stages
        self.d_blocks = nn.ModuleList(_down(config, level) for level in levels)
        self.u_blocks = nn.ModuleList(_up(config, level) for level in reversed(levels))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, width, h, w) -> the same shape."""
        skips: list[Tensor] = []
        for block in list(self.d_blocks)[self.skip_stages :]:
            x = block(x, embedding)
            skips.append(x)
        for index, block in enumerate(list(self.u_blocks)[: len(skips)]):
            skip = skips.pop()
            x = block(torch.cat([x, skip], dim=1) if index else x, embedding)
        return x


class ImageV1(nn.Module):
    """The network F of an `ImageV1Config`."""

    def __init__(self, config: ImageV1Config) -> None:
        super().__init__()
        self.config = config
        width, pixels = config.mapping_out, config.patch_size**2
        outer = config.channels[max(0, config.skip_stages - 1)]
        self.timestep_embed = Fourier(1, width)
        if config.mapping_cond_dim:
            # Its input is zero in sampling; it is here because the files have it.
            self.mapping_cond = nn.Linear(config.mapping_cond_dim, width, bias=False)
        self.mapping = nn.Sequential(
            nn.Linear(width, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        outputs = config.input_channels * pixels + int(config.has_variance)
        self.proj_in = nn.Conv2d(config.input_channels * pixels, outer, 1)
        self.proj_out = nn.Conv2d(outer, outputs, 1)
        self.u_net = UNet(config)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        """F of a batch: x (n, input_channels, h, w), c_noise (n,) or (1,); it has no classes."""
        embedding = self.mapping(self.timestep_embed(c_noise[:, None]).to(x.dtype))
        h = self.proj_in(functional.pixel_unshuffle(x, self.config.patch_size))
        h = self.proj_out(self.u_net(h, embedding))
        if self.config.has_variance:
            h = h[:, :-1]
        return functional.pixel_shuffle(h, self.config.patch_size)


def _down(config: ImageV1Config, level: int) -> Stage:
    width = config.channels[level]
    head: list[nn.Module] = [Resample(up=False) if level > config.skip_stages else nn.Identity()]
    return Stage(*head, *_blocks(config, level, config.channels[max(0, level - 1)], width))


def _up(config: ImageV1Config, level: int) -> Stage:
    width = config.channels[level]
    inputs = width if level == len(config.channels) - 1 else 2 * width
    tail: list[nn.Module] = [Resample(up=True) if level > config.skip_stages else nn.Identity()]
    return Stage(*_blocks(config, level, inputs, config.channels[max(0, level - 1)]), *tail)


def _blocks(config: ImageV1Config, level: int, inputs: int, outputs: int) -> Sequence[nn.Module]:
    """The blocks of a level: all of its own width, but for the first input and last output."""
    depth, width, made = config.depths[level], config.channels[level], list[nn.Module]()
    for index in range(depth):
        before = inputs if index == 0 else width
        after = outputs if index == depth - 1 else width
        made.append(ResBlock(config.mapping_out, before, width, after))
        if config.self_attn_depths[level]:
            made.append(Attention(config.mapping_out, after))
    return made
