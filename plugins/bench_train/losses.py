"""Continuous denoising score matching for normalised denoisers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import NoiseProcess
from bench_train.times import TimeSampling
from bench_train.weightings import Weighting

Denoise = Callable[..., Tensor]
"""D(y; s), or D(y; s, c) with labels (n,) as a third argument."""


class Objective(Protocol):
    """The loss of a training under a noise process."""

    def loss(
        self, network: Denoise, x_0: Tensor, eps: Tensor, uniforms: Tensor, *labels: Tensor
    ) -> Tensor:
        """The scalar loss of one batch.

        network: called as network(y, s, ...). x_0, eps: (n, ...) data and standard normal noise.
        uniforms: (n,) in [0, 1), float64, one per sample (see `stratified_uniforms`). labels:
        none, or the classes, (n,).
        """
        ...


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

    def loss(
        self, network: Denoise, x_0: Tensor, eps: Tensor, uniforms: Tensor, *labels: Tensor
    ) -> Tensor:
        """The scalar loss of one batch; network: D(y; s), or D(y; s, c) where there are labels."""
        t = self.times.draw(uniforms, self.process)
        y, s = add_noise(x_0, eps, t, self.process)
        weight = self.weighting.on_denoiser(self.process, t)
        weight = (weight * self.times.correction(t, self.process)).to(x_0.device, x_0.dtype)
        error = (network(y, s, *labels) - x_0).square().flatten(1)
        reduced = error.sum(dim=1) / 2 if self.summed else error.mean(dim=1)
        return (weight * reduced).mean()


@dataclass(frozen=True)
class NoisyCrossEntropy:
    """E_t E [-ln p(c | x_t)]: teaches a classifier of add_noise samples, for classifier guidance.

    Song et al. 2021 (arXiv:2011.13456), appendix I.4; Dhariwal & Nichol 2021 (arXiv:2105.05233),
    section 4. No time is weighted: at any noise the minimum is the exact p(c | y; s), so the
    density of times decides only where capacity goes.
    """

    process: NoiseProcess
    times: TimeSampling

    def loss(
        self, network: Denoise, x_0: Tensor, eps: Tensor, uniforms: Tensor, *labels: Tensor
    ) -> Tensor:
        """The scalar loss of one batch; network: logits (n, classes) of (y, s)."""
        (classes,) = labels
        y, s = add_noise(x_0, eps, self.times.draw(uniforms, self.process), self.process)
        return functional.cross_entropy(network(y, s).to(x_0.dtype), classes)


def add_noise(x_0: Tensor, eps: Tensor, t: Tensor, process: NoiseProcess) -> tuple[Tensor, Tensor]:
    """y = x_t / alpha = x_0 + s eps at times t, (n,) float64, and s in the dtype of ``x_0``.

    Schedules are float64 up to here: in float32 sigma and alpha of VP lose per cents near t = 0.
    """
    s = (process.sigma(t) / process.alpha(t)).to(x_0.device, x_0.dtype)
    return torch.addcmul(x_0, s.reshape((-1,) + (1,) * (x_0.ndim - 1)), eps), s
