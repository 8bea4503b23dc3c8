"""Continuous denoising score matching for normalised denoisers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import NoiseProcess
from bench_train.times import TimeSampling
from bench_train.weightings import Weighting

Denoise = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class ScoreMatching:
    """E_t lambda(t) E ||score - grad log p(x_t | x_0)||^2 / d, d the dimension of a sample.

    Vincent 2011; Song et al. 2021 (arXiv:2011.13456), equation 7, for any Gaussian process. The
    expectation over t is under `times`; its density is not divided out (EDM's convention) unless
    `times` say so (`Importance`), so the effective weight of a time is weighting times density.

    summed: half the sum over the entries of a sample (score_sde's `reduce_mean = False`) in the
    place of their mean: d/2 times the loss, for clipping's sake.
    """

    process: NoiseProcess
    times: TimeSampling
    weighting: Weighting
    summed: bool = False

    def loss(self, denoise: Denoise, x_0: Tensor, eps: Tensor, uniforms: Tensor) -> Tensor:
        """The scalar loss of one batch.

        denoise: D(y; s). x_0, eps: (n, ...) data and standard normal noise. uniforms: (n,) in
        [0, 1), float64, one per sample (see `stratified_uniforms`).
        """
        t = self.times.draw(uniforms, self.process)
        # y = x_t / alpha = x_0 + s eps. Schedules are float64 up to here: in float32 sigma and
        # alpha of VP lose per cents near t = 0.
        s = (self.process.sigma(t) / self.process.alpha(t)).to(x_0.device, x_0.dtype)
        weight = self.weighting.on_denoiser(self.process, t)
        weight = (weight * self.times.correction(t, self.process)).to(x_0.device, x_0.dtype)
        y = torch.addcmul(x_0, s.reshape((-1,) + (1,) * (x_0.ndim - 1)), eps)
        error = (denoise(y, s) - x_0).square().flatten(1)
        reduced = error.sum(dim=1) / 2 if self.summed else error.mean(dim=1)
        return (weight * reduced).mean()
