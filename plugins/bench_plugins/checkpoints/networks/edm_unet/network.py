"""The U-Net of an `EdmUnetConfig`."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.edm_unet.block import Block
from bench_plugins.checkpoints.networks.edm_unet.config import EdmUnetConfig
from bench_plugins.checkpoints.networks.edm_unet.layers import Conv, Fourier, Norm, Positional


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
