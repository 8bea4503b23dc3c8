"""The residual block of EDM's U-Nets."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import require
from bench_plugins.checkpoints.networks.edm_unet.config import EdmUnetConfig
from bench_plugins.checkpoints.networks.edm_unet.layers import Conv, Norm, Resample


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
        h = self._apply_gain(h + (self.skip(x) if hasattr(self, "skip") else x))
        return self._apply_gain(h + self._attend(h)) if self.heads else h

    def _apply_gain(self, x: Tensor) -> Tensor:
        return x if self.gain == 1.0 else x * self.gain

    def _attend(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        # The files hold query, key and value of a channel side by side.
        packed = self.qkv(self.norm2(x)).reshape(n, self.heads, channels // self.heads, 3, -1)
        q, k, v = packed.transpose(2, 4).unbind(3)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        result: Tensor = self.proj(mixed.transpose(2, 3).reshape(n, channels, height, width))
        return result
