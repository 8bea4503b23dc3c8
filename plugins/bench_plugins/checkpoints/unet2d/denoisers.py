"""UNet2DModels as normalised denoisers D(y; s)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench_plugins.checkpoints.classes import OptionalClassDenoiser
from bench_plugins.checkpoints.common import levels_of, scale_rows
from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.predictions import alpha_of, karras_coefficients, to_denoised
from bench_plugins.checkpoints.unet2d.scheduler import Noise


def denoiser_of(
    network: nn.Module, noise: Noise, classes: int, device: torch.device
) -> OptionalClassDenoiser:
    """D(y; s), or D(y; s, c), of a network that is called as network(x, time, labels).

    Args:
        network: the network.
        noise: how it was trained.
        classes: the number of labels that it knows.
        device: where ``s`` is.
    """
    called = _Called(network, classes)
    if noise.kind == "ve":
        return _Ve(called)
    if noise.kind == "edm":
        return _Preconditioned(called, noise)
    return _Scaled(called, noise, None if noise.table is None else noise.table.to(device))


@dataclass(frozen=True, eq=False)
class _Called:
    """The network called with one label for each row; its variances are dropped."""

    network: nn.Module
    classes: int

    def __call__(self, x: Tensor, time: Tensor, labels: Tensor | None) -> Tensor:
        if labels is not None:
            labels = labels % self.classes  # no class, -1, is the last label
        output: Tensor = self.network(x, time.to(x.dtype).expand(x.shape[0]), labels)
        return output[:, : x.shape[1]]


@dataclass(frozen=True, eq=False)
class _Scaled:
    """D of a network that sees x_t = alpha y and a time label."""

    called: _Called
    noise: Noise
    table: LevelTable | None

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        level = levels_of(s)
        alpha = alpha_of("flow" if self.noise.kind == "flow" else "vp", level)
        raw = self.called(scale_rows(y, alpha), self._time(level, alpha), labels)
        return to_denoised(self.noise.prediction, raw, y, level, alpha)

    def _time(self, level: Tensor, alpha: Tensor) -> Tensor:
        if self.table is not None:
            return self.table.label(level)
        return level.log() / 4 if self.noise.kind == "continuous" else self._flow(level, alpha)

    def _flow(self, level: Tensor, alpha: Tensor) -> Tensor:
        return self.noise.factor * level * alpha


@dataclass(frozen=True, eq=False)
class _Preconditioned:
    """D of a network with EDM's preconditioning, for any sigma_data; `v` turns the sign."""

    called: _Called
    noise: Noise

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        c_skip, c_out, c_in, c_noise = karras_coefficients(levels_of(s), self.noise.sigma_data)
        sign = -1 if self.noise.prediction == "v" else 1
        raw = self.called(scale_rows(y, c_in), c_noise, labels)
        return scale_rows(y, c_skip) + scale_rows(raw, sign * c_out)


@dataclass(frozen=True, eq=False)
class _Ve:
    """D of a network that gives the score, and sees images in [0, 1] and sigma."""

    called: _Called

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        level = levels_of(s)
        score = self.called((y + 1) / 2, level / 2, labels)
        # In [-1, 1] the score is half of that in [0, 1]: D = y + s^2 score / 2.
        return y + scale_rows(score, level.square() / 2)
