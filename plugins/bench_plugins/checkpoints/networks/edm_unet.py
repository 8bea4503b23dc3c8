"""The U-Nets of EDM's checkpoints: DDPM++ and NCSN++ as EDM has them, and ADM.

Karras, Aittala, Aila & Laine 2022, "Elucidating the Design Space of Diffusion-Based Generative
Models" (arXiv:2206.00364), appendix F; ADM is Dhariwal & Nichol 2021 (arXiv:2105.05233).
Parameters have the names of the authors' files (`enc.32x32_block0.conv0.weight`, ...), so that
these load as they are; the computation is our own, in plain torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import require
from bench_plugins.checkpoints.networks.fir import fir_kernel

Resample = Literal["", "up", "down"]


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


class Positional(nn.Module):
    """Cosines and sines of a label at geometric frequencies from 1 to about 1e-4."""

    frequencies: Tensor

    def __init__(self, features: int, endpoint: bool) -> None:
        super().__init__()
        half = features // 2
        # In float32, as the networks were trained: at label 999 the rounding shows.
        exponents = torch.arange(half, dtype=torch.float32) / (half - int(endpoint))
        self.register_buffer("frequencies", (1 / 10000) ** exponents, persistent=False)

    def forward(self, label: Tensor) -> Tensor:
        """(n,) -> (n, features), cosines first."""
        angles = label.double()[:, None] * self.frequencies.double()
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Fourier(nn.Module):
    """Cosines and sines of 2 pi f times a label; f was drawn once and is read from the file."""

    freqs: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("freqs", torch.randn(features // 2) * 16)

    def forward(self, label: Tensor) -> Tensor:
        """(n,) -> (n, features), cosines first."""
        angles = label.double()[:, None] * (2 * math.pi * self.freqs.double())
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Conv(nn.Module):
    """A convolution with resampling by two before it; with ``kernel=0`` the resampling alone.

    ``fused``: down-sampling after the convolution instead (as it is in NCSN++'s image pyramid).
    """

    weight: Tensor
    bias: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        resample: Resample = "",
        taps: tuple[int, ...] = (1, 1),
        fused: bool = False,
    ) -> None:
        super().__init__()
        self.kernel, self.resample, self.fused = kernel, resample, fused
        if kernel:
            self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
            self.bias = nn.Parameter(torch.zeros(outputs))
            nn.init.kaiming_normal_(self.weight)
        if resample:
            self.register_buffer("resample_filter", fir_kernel(taps))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w')."""
        padding = self.kernel // 2
        if not self.resample:
            return functional.conv2d(x, self.weight, self.bias, padding=padding)
        margin = (self.resample_filter.shape[-1] - 1) // 2
        if self.fused:
            wide = functional.conv2d(x, self.weight, padding=padding + margin)
            return _filtered(wide, self.resample_filter, 0) + self.bias[:, None, None]
        if self.resample == "up":
            spread = (4 * self.resample_filter).expand(x.shape[1], -1, -1, -1)
            x = functional.conv_transpose2d(x, spread, stride=2, padding=margin, groups=x.shape[1])
        else:
            x = _filtered(x, self.resample_filter, margin)
        return functional.conv2d(x, self.weight, self.bias, padding=padding) if self.kernel else x


class Norm(nn.GroupNorm):
    """Group normalisation with groups of at least four channels, at most 32 groups."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__(min(32, channels // 4), channels, eps=eps)


class Block(nn.Module):
    """norm, SiLU, conv, noise, SiLU, conv, + input; then perhaps attention, + input.

    The noise is added before the second norm (`song`), or scales and shifts behind it
    (`dhariwal`). `song` divides each sum by the root of two.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        config: EdmUnetConfig,
        resample: Resample = "",
        attention: bool = False,
    ) -> None:
        super().__init__()
        song = config.family == "song"
        self.inputs = inputs
        self.outputs = outputs
        self.adaptive = not song
        self.dropout = config.dropout
        self.gain = math.sqrt(0.5) if song else 1.0
        self.heads = (1 if song else outputs // 64) if attention else 0
        require(
            not attention or self.heads >= 1, "levels with attention must have 64 channels or more"
        )
        eps = 1e-6 if song else 1e-5
        taps = config.resample_filter if song else (1, 1)
        self.norm0 = Norm(inputs, eps)
        self.conv0 = Conv(inputs, outputs, 3, resample, taps)
        self.affine = nn.Linear(config.embedding, outputs * (2 if self.adaptive else 1))
        self.norm1 = Norm(outputs, eps)
        self.conv1 = Conv(outputs, outputs, 3)
        if inputs != outputs or resample:
            kernel = 1 if song or inputs != outputs else 0
            self.skip = Conv(inputs, outputs, kernel, resample, taps)
        if self.heads:
            self.norm2 = Norm(outputs, eps)
            self.qkv = Conv(outputs, 3 * outputs, 1)
            self.proj = Conv(outputs, outputs, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w'); embedding (n or 1, width)."""
        h = self.conv0(functional.silu(self.norm0(x)))
        noise = self.affine(embedding)[:, :, None, None]
        if self.adaptive:
            scale, shift = noise.chunk(2, dim=1)
            h = torch.addcmul(shift, self.norm1(h), scale + 1)
        else:
            h = self.norm1(h + noise)
        h = self.conv1(functional.dropout(functional.silu(h), self.dropout, self.training))
        h = self._gained(h + (self.skip(x) if hasattr(self, "skip") else x))
        return self._gained(h + self._attended(h)) if self.heads else h

    def _gained(self, x: Tensor) -> Tensor:
        return x if self.gain == 1.0 else x * self.gain

    def _attended(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        # The files hold query, key and value of a channel side by side.
        packed = self.qkv(self.norm2(x)).reshape(n, self.heads, channels // self.heads, 3, -1)
        q, k, v = packed.transpose(2, 4).unbind(3)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        result: Tensor = self.proj(mixed.transpose(2, 3).reshape(n, channels, height, width))
        return result


class EdmUnet(nn.Module):
    """The raw network F of EDM's preconditionings, for one `EdmUnetConfig`."""

    def __init__(self, config: EdmUnetConfig) -> None:
        super().__init__()
        self.config = config
        song = config.family == "song"
        features, width = config.noise_features, config.embedding
        if song and config.embedding_type == "fourier":
            self.map_noise: nn.Module = Fourier(features)
        else:
            self.map_noise = Positional(features, endpoint=song)
        if song and config.label_dim:
            self.map_label = nn.Linear(config.label_dim, features)
        if config.augment_dim:
            # Its input is zero in sampling; it is here because the files have it.
            self.map_augment = nn.Linear(config.augment_dim, features, bias=False)
        self.map_layer0 = nn.Linear(features, width)
        self.map_layer1 = nn.Linear(width, width)
        if not song and config.label_dim:
            self.map_label = nn.Linear(config.label_dim, width, bias=False)
        widths: list[int] = []
        self.enc = nn.ModuleDict(self._encoder(widths))
        self.dec = nn.ModuleDict(self._decoder(widths))
        if not song:
            outputs = config.model_channels * config.channel_mult[0]
            self.out_norm = Norm(outputs, 1e-5)
            self.out_conv = Conv(outputs, config.out_channels, 3)

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """F of a batch.

        x: (n, in_channels, h, w). c_noise: (n,) or (1,). labels: one-hot, (n, label_dim) or
        (1, label_dim), zeros for none.
        """
        embedding = self._embed(c_noise, labels, x.dtype)
        skips: list[Tensor] = []
        h = pyramid = x
        for name, module in self.enc.items():
            kind = name.split("_", 1)[1]
            if kind == "aux_down":
                pyramid = module(pyramid)
            elif kind == "aux_skip":
                h = skips[-1] = h + module(pyramid)
            elif kind == "aux_residual":
                h = skips[-1] = pyramid = (h + module(pyramid)) * math.sqrt(0.5)
            else:
                h = module(h, embedding) if isinstance(module, Block) else module(h)
                skips.append(h)
        return self._decode(h, skips, embedding)

    def _decode(self, h: Tensor, skips: list[Tensor], embedding: Tensor) -> Tensor:
        image: Tensor | None = None
        normed = h
        for name, module in self.dec.items():
            kind = name.split("_", 1)[1]
            if kind == "aux_up":
                image = module(image)
            elif kind == "aux_norm":
                normed = module(h)
            elif kind == "aux_conv":
                part = module(functional.silu(normed))
                image = part if image is None else part + image
            else:
                if kind.startswith("block"):
                    h = torch.cat([h, skips.pop()], dim=1)
                h = module(h, embedding)
        if self.config.family == "dhariwal":
            image = self.out_conv(functional.silu(self.out_norm(h)))
        assert image is not None
        return image

    def _embed(self, c_noise: Tensor, labels: Tensor | None, dtype: torch.dtype) -> Tensor:
        song = self.config.family == "song"
        features = self.map_noise(c_noise)
        if song:  # sines first, as in score_sde
            features = features.roll(features.shape[1] // 2, 1)
        features = features.to(dtype)
        if song and labels is not None and self.config.label_dim:
            features = features + self.map_label(labels.to(dtype) * self.config.label_dim**0.5)
        hidden = self.map_layer1(functional.silu(self.map_layer0(features)))
        if not song and labels is not None and self.config.label_dim:
            hidden = hidden + self.map_label(labels.to(dtype))
        return functional.silu(hidden)

    def _encoder(self, widths: list[int]) -> dict[str, nn.Module]:
        """Modules by name; ``widths`` gets those of the maps that are kept for the way up."""
        config, made = self.config, dict[str, nn.Module]()
        taps = config.resample_filter
        first = config.channel_mult[0] if config.family == "dhariwal" else 1
        width, image = config.model_channels * first, config.in_channels
        for level, mult in enumerate(config.channel_mult):
            side = config.img_resolution >> level
            place = f"{side}x{side}"
            if level == 0:
                made[f"{place}_conv"] = Conv(config.in_channels, width, 3)
            else:
                made[f"{place}_down"] = Block(width, width, config, "down")
            if level and config.family == "song" and config.encoder_type == "skip":
                made[f"{place}_aux_down"] = Conv(image, image, 0, "down", taps)
                made[f"{place}_aux_skip"] = Conv(image, width, 1)
            elif level and config.family == "song" and config.encoder_type == "residual":
                made[f"{place}_aux_residual"] = Conv(image, width, 3, "down", taps, fused=True)
                image = width
            widths.append(width)
            for index in range(config.num_blocks):
                outputs = config.model_channels * mult
                attends = side in config.attn_resolutions
                made[f"{place}_block{index}"] = Block(width, outputs, config, "", attends)
                width = outputs
                widths.append(width)
        return made

    def _decoder(self, widths: list[int]) -> dict[str, nn.Module]:
        config, made = self.config, dict[str, nn.Module]()
        song, width = config.family == "song", widths[-1]
        deepest = len(config.channel_mult) - 1
        for level in reversed(range(deepest + 1)):
            side = config.img_resolution >> level
            place = f"{side}x{side}"
            attends = side in config.attn_resolutions
            if level == deepest:
                made[f"{place}_in0"] = Block(width, width, config, "", True)
                made[f"{place}_in1"] = Block(width, width, config)
            else:
                made[f"{place}_up"] = Block(width, width, config, "up")
            for index in range(config.num_blocks + 1):
                outputs = config.model_channels * config.channel_mult[level]
                # `song` attends once a level on the way up, behind the last block.
                here = attends and (not song or index == config.num_blocks)
                block = Block(width + widths.pop(), outputs, config, "", here)
                made[f"{place}_block{index}"] = block
                width = outputs
            if song and (config.decoder_type == "skip" or level == 0):
                if config.decoder_type == "skip" and level < deepest:
                    image, taps = config.out_channels, config.resample_filter
                    made[f"{place}_aux_up"] = Conv(image, image, 0, "up", taps)
                made[f"{place}_aux_norm"] = Norm(width, 1e-6)
                made[f"{place}_aux_conv"] = Conv(width, config.out_channels, 3)
        return made


def _filtered(x: Tensor, kernel: Tensor, padding: int) -> Tensor:
    spread = kernel.expand(x.shape[1], -1, -1, -1)
    return functional.conv2d(x, spread, stride=2, padding=padding, groups=x.shape[1])
