"""The modules of an `NCSNpp`, made in the order of the files' list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from torch import nn

from bench_plugins.checkpoints.networks.ncsnpp.block import ResBlock
from bench_plugins.checkpoints.networks.ncsnpp.config import NCSNppConfig
from bench_plugins.checkpoints.networks.ncsnpp.layers import (
    Attention,
    Combine,
    Downsample,
    FourierFeatures,
    PositionalFeatures,
    Upsample,
    conv3,
    norm,
)

_M = TypeVar("_M", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Level:
    """The modules of one level, on the way down or up, in the order in which they act.

    Attributes:
        blocks: pairs of a block and the attention behind it, if there is any.
    """

    blocks: tuple[tuple[ResBlock, Attention | None], ...]
    attention: Attention | None = None
    head: tuple[nn.Module, ...] = ()
    resample: nn.Module | None = None
    pyramid: nn.Module | None = None


@dataclass(frozen=True, eq=False)
class Assembly:
    """Modules by the part that they play. `parts` lists each of them once, as the files do."""

    parts: tuple[nn.Module, ...]
    features: nn.Module
    embedding: tuple[nn.Module, ...]
    stem: nn.Module
    down: tuple[Level, ...]
    middle: tuple[ResBlock, Attention, ResBlock]
    up: tuple[Level, ...]
    output: tuple[nn.Module, ...]


def assemble(config: NCSNppConfig) -> Assembly:
    """The modules of an `NCSNpp`, with initial weights drawn from torch's global generator."""
    return _Assembler(config).run()


@dataclass(frozen=True, eq=False)
class _Assembler:
    """Adds modules to the list as they are made.

    Attributes:
        widths: of the maps that the way down leaves and the way up reads.
    """

    config: NCSNppConfig
    parts: list[nn.Module] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def run(self) -> Assembly:
        config, levels = self.config, range(len(self.config.ch_mult))
        features, embedding = self._embedding()
        stem = self._add(conv3(config.channels, config.nf))
        self.widths.append(config.nf)
        down = tuple(self._down(level) for level in levels)
        width = self.widths[-1]
        middle = (
            self._add(ResBlock(width, width, config)),
            self._add(Attention(width, config)),
            self._add(ResBlock(width, width, config)),
        )
        up = tuple(self._up(level) for level in reversed(levels))
        output: tuple[nn.Module, ...] = ()
        if config.progressive != "output_skip":
            output = self._head(config.nf * config.ch_mult[0], config.channels)
        return Assembly(tuple(self.parts), features, embedding, stem, down, middle, up, output)

    def _add(self, module: _M) -> _M:
        self.parts.append(module)
        return module

    def _embedding(self) -> tuple[nn.Module, tuple[nn.Module, ...]]:
        config, nf = self.config, self.config.nf
        features: nn.Module
        if config.embedding == "fourier":
            width, features = 2 * nf, self._add(FourierFeatures(nf, config.fourier_scale))
        else:  # not in the files' list: it has nothing to store
            width, features = nf, PositionalFeatures(nf)
        if not config.conditional:
            return features, ()
        return features, (self._add(nn.Linear(width, 4 * nf)), self._add(nn.Linear(4 * nf, 4 * nf)))

    def _head(self, width: int, outputs: int) -> tuple[nn.Module, ...]:
        return self._add(norm(width)), self._add(conv3(width, outputs))

    def _attention(self, level: int, width: int) -> Attention | None:
        resolution = self.config.image_size >> level
        if resolution not in self.config.attn_resolutions:
            return None
        return self._add(Attention(width, self.config))

    def _down(self, level: int) -> Level:
        config, blocks = self.config, []
        outputs = config.nf * config.ch_mult[level]
        for _ in range(config.num_res_blocks):
            block = self._add(ResBlock(self.widths[-1], outputs, config))
            blocks.append((block, self._attention(level, outputs)))
            self.widths.append(outputs)
        if level == len(config.ch_mult) - 1:
            return Level(tuple(blocks))
        resample: nn.Module
        if config.resblock == "ddpm":
            resample = Downsample(outputs, outputs, config.resamp_with_conv, config)
        else:
            resample = ResBlock(outputs, outputs, config, "down")
        self._add(resample)
        pyramid: nn.Module | None = None
        width = outputs
        if config.progressive_input == "input_skip":
            pyramid = self._add(Combine(config.channels, outputs, config))
            width = 2 * outputs if config.combine == "cat" else outputs
        elif config.progressive_input == "residual":
            image = config.channels if level == 0 else config.nf * config.ch_mult[level - 1]
            pyramid = self._add(Downsample(image, outputs, True, config))
        self.widths.append(width)
        return Level(tuple(blocks), resample=resample, pyramid=pyramid)

    def _up(self, level: int) -> Level:
        config, blocks = self.config, []
        deepest = level == len(config.ch_mult) - 1
        outputs = config.nf * config.ch_mult[level]
        # Of the level below; the deepest one follows the middle, as wide as the last map.
        width = self.widths[-1] if deepest else config.nf * config.ch_mult[level + 1]
        for _ in range(config.num_res_blocks + 1):
            block = ResBlock(width + self.widths.pop(), outputs, config)
            blocks.append((self._add(block), None))
            width = outputs
        attention = self._attention(level, outputs)
        head: tuple[nn.Module, ...] = ()
        pyramid: nn.Module | None = None
        if config.progressive == "output_skip":
            head = self._head(outputs, config.channels)
        elif config.progressive == "residual" and deepest:
            head = self._head(outputs, outputs)
        elif config.progressive == "residual":
            below = config.nf * config.ch_mult[level + 1]
            pyramid = self._add(Upsample(below, outputs, True, config))
        resample: nn.Module | None = None
        if level and config.resblock == "ddpm":
            resample = self._add(Upsample(outputs, outputs, config.resamp_with_conv, config))
        elif level:
            resample = self._add(ResBlock(outputs, outputs, config, "up"))
        return Level(tuple(blocks), attention, head, resample, pyramid)
