"""The network of an `NCSNppConfig`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.ncsnpp.assembly import assemble
from bench_plugins.checkpoints.networks.ncsnpp.block import ResBlock
from bench_plugins.checkpoints.networks.ncsnpp.config import NCSNppConfig, trained_levels
from bench_plugins.checkpoints.networks.ncsnpp.layers import (
    ROOT_HALF,
    Combine,
    Downsample,
    PositionalFeatures,
    Upsample,
    apply_gain,
)


class NCSNpp(nn.Module):
    """The network of an `NCSNppConfig`.

    It owns a flat list of modules, as the files do; `_assembly` says which of them acts when (in
    tuples, for attributes that are modules would be listed a second time).
    """

    sigmas: Tensor

    def __init__(self, config: NCSNppConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("sigmas", trained_levels(config))
        self._assembly = assemble(config)
        if isinstance(self._assembly.features, PositionalFeatures):
            self._positional = self._assembly.features
        self._pyramid_down = Downsample(0, 0, False, config)
        self._pyramid_up = Upsample(0, 0, False, config)
        self.all_modules = nn.ModuleList(self._assembly.parts)

    def forward(self, x: Tensor, condition: Tensor, sigma: Tensor | None = None) -> Tensor:
        """The network's output, with the shape of ``x``.

        x: (n, channels, h, w), in the range of values that it was trained on. condition: sigma
        (Fourier) or the time label (positional), (n,) or (1,). sigma: what to divide by where the
        network does; the trained level of the label, or sigma itself, if it is not given.
        """
        config = self.config
        embedding = self._embed(condition, x.dtype)
        h = x if config.centered else 2 * x - 1
        skips = self._descend(h, embedding)
        first, attention, second = self._assembly.middle
        h = second(attention(first(skips[-1], embedding)), embedding)
        h = self._ascend(h, skips, embedding)
        if config.scale_by_sigma:
            if sigma is None:
                by_label = config.embedding == "positional"
                sigma = self.sigmas[condition.long()] if by_label else condition
            h = h / sigma.to(x.dtype).reshape(-1, 1, 1, 1)
        return h

    def output_convolutions(self) -> tuple[nn.Conv2d, ...]:
        """Those that make the image, or its pyramid, out of features."""
        heads = (*(level.head for level in self._assembly.up), self._assembly.output)
        return tuple(part for head in heads for part in head if isinstance(part, nn.Conv2d))

    def _embed(self, condition: Tensor, dtype: torch.dtype) -> Tensor | None:
        if not self.config.conditional:
            return None
        first, second = self._assembly.embedding
        # Every block activates the embedding before its own layer: done once here.
        hidden = functional.silu(first(self._assembly.features(condition).to(dtype)))
        return functional.silu(second(hidden))

    def _descend(self, x: Tensor, embedding: Tensor | None) -> list[Tensor]:
        skips, pyramid = [self._assembly.stem(x)], x
        for level in self._assembly.down:
            for block, attention in level.blocks:
                h = block(skips[-1], embedding)
                skips.append(h if attention is None else attention(h))
            if level.resample is None:
                continue
            h = _resample(level.resample, skips[-1], embedding)
            if isinstance(level.pyramid, Combine):
                pyramid = self._pyramid_down(pyramid)
                h = level.pyramid(pyramid, h)
            elif level.pyramid is not None:
                h = pyramid = self._sum(level.pyramid(pyramid), h)
            skips.append(h)
        return skips

    def _ascend(self, h: Tensor, skips: list[Tensor], embedding: Tensor | None) -> Tensor:
        image: Tensor | None = None
        for level in self._assembly.up:
            for block, _ in level.blocks:
                h = block(torch.cat([h, skips.pop()], dim=1), embedding)
            if level.attention is not None:
                h = level.attention(h)
            if level.head:
                part = _apply_head(level.head, h)
                image = part if image is None else self._pyramid_up(image) + part
            elif level.pyramid is not None:
                h = image = self._sum(level.pyramid(image), h)
            if level.resample is not None:
                h = _resample(level.resample, h, embedding)
        if self._assembly.output:
            return _apply_head(self._assembly.output, h)
        assert image is not None
        return image

    def _sum(self, a: Tensor, b: Tensor) -> Tensor:
        return apply_gain(a + b, ROOT_HALF if self.config.skip_rescale else 1.0)


def _resample(module: nn.Module, h: Tensor, embedding: Tensor | None) -> Tensor:
    result: Tensor = module(h, embedding) if isinstance(module, ResBlock) else module(h)
    return result


def _apply_head(head: tuple[nn.Module, ...], h: Tensor) -> Tensor:
    norm, conv = head
    result: Tensor = conv(functional.silu(norm(h)))
    return result
