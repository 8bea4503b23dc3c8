"""The residual block of NCSN++ and DDPM++."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.fir import down, fir_kernel, up
from bench_plugins.checkpoints.networks.ncsnpp.config import NCSNppConfig
from bench_plugins.checkpoints.networks.ncsnpp.layers import (
    NIN,
    ROOT_HALF,
    apply_gain,
    conv3,
    norm,
    repeat,
)


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
        self.gain = ROOT_HALF if config.skip_rescale else 1.0
        self.register_buffer("kernel", fir_kernel(config.fir_taps), persistent=False)
        # The order of these lines is the order of the moving averages in the files.
        self.GroupNorm_0 = norm(inputs)
        self.Conv_0 = conv3(inputs, outputs)
        if config.conditional:
            self.Dense_0 = nn.Linear(4 * config.nf, outputs)
        self.GroupNorm_1 = norm(outputs)
        self.Conv_1 = conv3(outputs, outputs)
        if config.resblock == "biggan" and (inputs != outputs or resample):
            self.Conv_2 = nn.Conv2d(inputs, outputs, 1)
        elif inputs != outputs:
            self.NIN_0 = NIN(inputs, outputs)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w'); embedding (n or 1, 4 nf), activated."""
        h = self._resample(functional.silu(self.GroupNorm_0(x)))
        x = self._resample(x)
        h = self.Conv_0(h)
        if embedding is not None:
            h = h + self.Dense_0(embedding)[:, :, None, None]
        h = functional.silu(self.GroupNorm_1(h))
        h = self.Conv_1(functional.dropout(h, self.dropout, self.training))
        if hasattr(self, "Conv_2"):
            x = self.Conv_2(x)
        elif hasattr(self, "NIN_0"):
            x = self.NIN_0(x)
        return apply_gain(x + h, self.gain)

    def _resample(self, x: Tensor) -> Tensor:
        if self.resample == "up":
            return up(x, self.kernel) if self.fir else repeat(x)
        if self.resample == "down":
            return down(x, self.kernel) if self.fir else functional.avg_pool2d(x, 2)
        return x
