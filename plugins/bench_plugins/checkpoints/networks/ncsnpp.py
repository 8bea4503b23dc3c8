"""NCSN++ and DDPM++, the networks of Song et al. 2021, and DDPM's own as they retrained it.

Song, Sohl-Dickstein, Kingma, Kumar, Ermon & Poole 2021, "Score-Based Generative Modeling through
Stochastic Differential Equations" (arXiv:2011.13456), section 4.1 and appendix H; DDPM is Ho, Jain
& Abbeel 2020 (arXiv:2006.11239). Parameters have the names and the order of the authors' PyTorch
checkpoints (`all_modules.<i>`), so that these load as they are; the computation is our own, in
plain torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import require
from bench_plugins.checkpoints.networks.fir import FirDownConv, down, fir_kernel, up

_ROOT = math.sqrt(0.5)
_M = TypeVar("_M", bound=nn.Module)


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


class FourierFeatures(nn.Module):
    """Sines and cosines of 2 pi W ln(sigma) (Tancik et al. 2020); W is drawn once and kept."""

    def __init__(self, features: int, scale: float) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(features) * scale, requires_grad=False)

    def forward(self, sigma: Tensor) -> Tensor:
        """(n,) -> (n, 2 * features)."""
        # Angles reach a thousand: float32 would leave an error of 1e-4 in them.
        angles = sigma.double().log()[:, None] * self.W.double() * (2 * math.pi)
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class PositionalFeatures(nn.Module):
    """DDPM's sines and cosines of a time label in [0, 1000)."""

    frequencies: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        half = features // 2
        # In float32, as the networks were trained: at label 999 the rounding shows.
        step = torch.arange(half, dtype=torch.float32, device="cpu")
        frequencies = (step * -(math.log(10000) / (half - 1))).exp()
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, label: Tensor) -> Tensor:
        """(n,) -> (n, features)."""
        angles = label.double()[:, None] * self.frequencies.double()
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class NIN(nn.Module):
    """A 1x1 convolution whose weight is stored as (inputs, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(inputs, outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.W)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        return functional.conv2d(x, self.W.T[:, :, None, None], self.b)


class Attention(nn.Module):
    """Residual self-attention over the positions of a feature map, one head."""

    def __init__(self, channels: int, config: NCSNppConfig) -> None:
        super().__init__()
        self.GroupNorm_0 = _norm(channels)
        self.NIN_0 = NIN(channels, channels)
        self.NIN_1 = NIN(channels, channels)
        self.NIN_2 = NIN(channels, channels)
        self.NIN_3 = NIN(channels, channels)
        self.gain = _ROOT if config.skip_rescale else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> the same shape."""
        h = self.GroupNorm_0(x)
        q, k, v = (
            project(h).flatten(2).transpose(1, 2)
            for project in (self.NIN_0, self.NIN_1, self.NIN_2)
        )
        mixed = functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return _gained(x + self.NIN_3(mixed.transpose(1, 2).reshape(x.shape)), self.gain)


class Upsample(nn.Module):
    """Twice the resolution: nearest neighbour or filter, then perhaps a convolution."""

    kernel: Tensor

    def __init__(self, channels: int, outputs: int, conv: bool, config: NCSNppConfig) -> None:
        super().__init__()
        self.fir = config.fir
        self.register_buffer("kernel", fir_kernel(config.fir_taps), persistent=False)
        if conv:
            self.Conv_0 = _conv3(channels, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, outputs, 2h, 2w)."""
        h = up(x, self.kernel) if self.fir else _repeat(x)
        return self.Conv_0(h) if hasattr(self, "Conv_0") else h


class Downsample(nn.Module):
    """Half the resolution: mean, strided convolution, or filter and either."""

    kernel: Tensor

    def __init__(self, channels: int, outputs: int, conv: bool, config: NCSNppConfig) -> None:
        super().__init__()
        self.fir = config.fir
        self.register_buffer("kernel", fir_kernel(config.fir_taps), persistent=False)
        if conv and config.fir:
            self.Conv2d_0 = FirDownConv(channels, outputs, config.fir_taps)
        elif conv:
            self.Conv_0 = nn.Conv2d(channels, outputs, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, outputs, h/2, w/2)."""
        if hasattr(self, "Conv2d_0"):
            x = self.Conv2d_0(x)
        elif hasattr(self, "Conv_0"):
            x = self.Conv_0(functional.pad(x, (0, 1, 0, 1)))  # TensorFlow's "same" padding
        else:
            x = down(x, self.kernel) if self.fir else functional.avg_pool2d(x, 2)
        return x


class Combine(nn.Module):
    """The image pyramid, by a 1x1 convolution, as a sum or beside the features."""

    def __init__(self, image: int, channels: int, config: NCSNppConfig) -> None:
        super().__init__()
        self.Conv_0 = nn.Conv2d(image, channels, 1)
        self.cat = config.combine == "cat"

    def forward(self, pyramid: Tensor, h: Tensor) -> Tensor:
        """(n, image, ...) and (n, channels, ...) -> (n, channels or twice as many, ...)."""
        image = self.Conv_0(pyramid)
        return torch.cat([image, h], dim=1) if self.cat else image + h


class ResBlock(nn.Module):
    """norm, SiLU, conv, + noise, norm, SiLU, conv; and the input, resampled and projected.

    Brock et al. 2019 (BigGAN) resamples between the first SiLU and convolution; DDPM never does.
    """

    kernel: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        config: NCSNppConfig,
        resample: Literal["", "up", "down"] = "",
    ) -> None:
        super().__init__()
        self.resample = resample
        self.fir = config.fir
        self.dropout = config.dropout
        self.gain = _ROOT if config.skip_rescale else 1.0
        self.register_buffer("kernel", fir_kernel(config.fir_taps), persistent=False)
        # The order of these lines is the order of the moving averages in the files.
        self.GroupNorm_0 = _norm(inputs)
        self.Conv_0 = _conv3(inputs, outputs)
        if config.conditional:
            self.Dense_0 = nn.Linear(4 * config.nf, outputs)
        self.GroupNorm_1 = _norm(outputs)
        self.Conv_1 = _conv3(outputs, outputs)
        if config.resblock == "biggan" and (inputs != outputs or resample):
            self.Conv_2 = nn.Conv2d(inputs, outputs, 1)
        elif inputs != outputs:
            self.NIN_0 = NIN(inputs, outputs)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w'); embedding (n or 1, 4 nf), activated."""
        h = self._resampled(functional.silu(self.GroupNorm_0(x)))
        x = self._resampled(x)
        h = self.Conv_0(h)
        if embedding is not None:
            h = h + self.Dense_0(embedding)[:, :, None, None]
        h = functional.silu(self.GroupNorm_1(h))
        h = self.Conv_1(functional.dropout(h, self.dropout, self.training))
        if hasattr(self, "Conv_2"):
            x = self.Conv_2(x)
        elif hasattr(self, "NIN_0"):
            x = self.NIN_0(x)
        return _gained(x + h, self.gain)

    def _resampled(self, x: Tensor) -> Tensor:
        if self.resample == "up":
            return up(x, self.kernel) if self.fir else _repeat(x)
        if self.resample == "down":
            return down(x, self.kernel) if self.fir else functional.avg_pool2d(x, 2)
        return x


@dataclass(frozen=True, eq=False)
class _Level:
    """The modules of one level, on the way down or up, in the order in which they act.

    Those of `blocks` are pairs of a block and the attention behind it, if there is any.
    """

    blocks: tuple[tuple[ResBlock, Attention | None], ...]
    attention: Attention | None = None
    head: tuple[nn.Module, ...] = ()
    resample: nn.Module | None = None
    pyramid: nn.Module | None = None


class NCSNpp(nn.Module):
    """The network of an `NCSNppConfig`.

    It owns a flat list of modules, as the files do; the tuples `_down`, `_middle`, `_up` say who
    acts when (tuples, for attributes that are modules would be listed a second time).
    """

    sigmas: Tensor

    def __init__(self, config: NCSNppConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("sigmas", trained_levels(config))
        self._parts: list[nn.Module] = []
        self._embedding = self._make_embedding()
        self._stem = (self._add(_conv3(config.channels, config.nf)),)
        self._pyramid_down = Downsample(0, 0, False, config)
        self._pyramid_up = Upsample(0, 0, False, config)
        widths = [config.nf]
        self._down = tuple(self._make_down(level, widths) for level in self._levels())
        width = widths[-1]
        self._middle = (
            self._add(ResBlock(width, width, config)),
            self._add(Attention(width, config)),
            self._add(ResBlock(width, width, config)),
        )
        self._up = tuple(self._make_up(level, widths) for level in reversed(self._levels()))
        self._output: tuple[nn.Module, ...] = ()
        if config.progressive != "output_skip":
            self._output = self._make_head(config.nf * config.ch_mult[0], config.channels)
        self.all_modules = nn.ModuleList(self._parts)

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
        first, attention, second = self._middle
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
        heads = (*(level.head for level in self._up), self._output)
        return tuple(part for head in heads for part in head if isinstance(part, nn.Conv2d))

    def _embed(self, condition: Tensor, dtype: torch.dtype) -> Tensor | None:
        if not self.config.conditional:
            return None
        features, first, second = self._embedding
        # Every block activates the embedding before its own layer: done once here.
        hidden = functional.silu(first(features(condition).to(dtype)))
        return functional.silu(second(hidden))

    def _descend(self, x: Tensor, embedding: Tensor | None) -> list[Tensor]:
        skips, pyramid = [self._stem[0](x)], x
        for level in self._down:
            for block, attention in level.blocks:
                h = block(skips[-1], embedding)
                skips.append(h if attention is None else attention(h))
            if level.resample is None:
                continue
            h = skips[-1]
            resample = level.resample
            h = resample(h, embedding) if isinstance(resample, ResBlock) else resample(h)
            if isinstance(level.pyramid, Combine):
                pyramid = self._pyramid_down(pyramid)
                h = level.pyramid(pyramid, h)
            elif level.pyramid is not None:
                h = pyramid = self._summed(level.pyramid(pyramid), h)
            skips.append(h)
        return skips

    def _ascend(self, h: Tensor, skips: list[Tensor], embedding: Tensor | None) -> Tensor:
        image: Tensor | None = None
        for level in self._up:
            for block, _ in level.blocks:
                h = block(torch.cat([h, skips.pop()], dim=1), embedding)
            if level.attention is not None:
                h = level.attention(h)
            if level.head:
                part = _apply_head(level.head, h)
                image = part if image is None else self._pyramid_up(image) + part
            elif level.pyramid is not None:
                h = image = self._summed(level.pyramid(image), h)
            if level.resample is not None:
                resample = level.resample
                h = resample(h, embedding) if isinstance(resample, ResBlock) else resample(h)
        if self._output:
            return _apply_head(self._output, h)
        assert image is not None
        return image

    def _summed(self, a: Tensor, b: Tensor) -> Tensor:
        return _gained(a + b, _ROOT if self.config.skip_rescale else 1.0)

    def _levels(self) -> range:
        return range(len(self.config.ch_mult))

    def _add(self, module: _M) -> _M:
        self._parts.append(module)
        return module

    def _make_embedding(self) -> tuple[nn.Module, ...]:
        config, nf = self.config, self.config.nf
        features: nn.Module
        if config.embedding == "fourier":
            width, features = 2 * nf, self._add(FourierFeatures(nf, config.fourier_scale))
        else:
            # Not in the files' list: it has nothing to store.
            width, features = nf, PositionalFeatures(nf)
            self._positional = features
        if not config.conditional:
            return ()
        return features, self._add(nn.Linear(width, 4 * nf)), self._add(nn.Linear(4 * nf, 4 * nf))

    def _make_head(self, width: int, outputs: int) -> tuple[nn.Module, ...]:
        return self._add(_norm(width)), self._add(_conv3(width, outputs))

    def _make_attention(self, level: int, width: int) -> Attention | None:
        resolution = self.config.image_size >> level
        if resolution not in self.config.attn_resolutions:
            return None
        return self._add(Attention(width, self.config))

    def _make_down(self, level: int, widths: list[int]) -> _Level:
        """One level of the way down; appends to ``widths`` those of the maps that it leaves."""
        config, blocks = self.config, []
        outputs = config.nf * config.ch_mult[level]
        for _ in range(config.num_res_blocks):
            block = self._add(ResBlock(widths[-1], outputs, config))
            blocks.append((block, self._make_attention(level, outputs)))
            widths.append(outputs)
        if level == len(config.ch_mult) - 1:
            return _Level(tuple(blocks))
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
        widths.append(width)
        return _Level(tuple(blocks), resample=resample, pyramid=pyramid)

    def _make_up(self, level: int, widths: list[int]) -> _Level:
        """One level of the way up; takes from ``widths`` those of the maps that it reads."""
        config, blocks = self.config, []
        deepest = level == len(config.ch_mult) - 1
        outputs = config.nf * config.ch_mult[level]
        # Of the level below; the deepest one follows the middle, as wide as the last map.
        width = widths[-1] if deepest else config.nf * config.ch_mult[level + 1]
        for _ in range(config.num_res_blocks + 1):
            blocks.append((self._add(ResBlock(width + widths.pop(), outputs, config)), None))
            width = outputs
        attention = self._make_attention(level, outputs)
        head: tuple[nn.Module, ...] = ()
        pyramid: nn.Module | None = None
        if config.progressive == "output_skip":
            head = self._make_head(outputs, config.channels)
        elif config.progressive == "residual" and deepest:
            head = self._make_head(outputs, outputs)
        elif config.progressive == "residual":
            below = config.nf * config.ch_mult[level + 1]
            pyramid = self._add(Upsample(below, outputs, True, config))
        resample: nn.Module | None = None
        if level and config.resblock == "ddpm":
            resample = self._add(Upsample(outputs, outputs, config.resamp_with_conv, config))
        elif level:
            resample = self._add(ResBlock(outputs, outputs, config, "up"))
        return _Level(tuple(blocks), attention, head, resample, pyramid)


def trained_levels(config: NCSNppConfig) -> Tensor:
    """The noise levels of label 0, 1, ..., falling, float64, (num_scales,)."""
    ends = math.log(config.sigma_max), math.log(config.sigma_min)
    return torch.linspace(*ends, config.num_scales, dtype=torch.float64).exp()


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(channels // 4, 32), channels, eps=1e-6)


def _apply_head(head: tuple[nn.Module, ...], h: Tensor) -> Tensor:
    norm, conv = head
    result: Tensor = conv(functional.silu(norm(h)))
    return result


def _gained(x: Tensor, gain: float) -> Tensor:
    return x if gain == 1.0 else x * gain


def _repeat(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
