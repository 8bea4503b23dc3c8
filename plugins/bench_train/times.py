"""Densities of the times at which the loss is evaluated, drawn by their inverse CDF.

A density maps uniform numbers to times, so that stratified uniforms give stratified times and a
mixture is a partition of the unit interval.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import NoiseProcess


def stratified_uniforms(n: int, generator: torch.Generator) -> Tensor:
    """(n,) float64, one uniform number in each interval [i/n, (i+1)/n).

    The low-discrepancy idea of Kingma et al. 2021, "Variational Diffusion Models"
    (arXiv:2107.00630), appendix I.1, with jitter per stratum: an unbiased estimate of the
    integral over time whose variance falls faster than 1/n.
    """
    jitter = torch.rand(n, dtype=torch.float64, generator=generator)
    return (torch.arange(n, dtype=torch.float64) + jitter) / n


class TimeSampling(ABC):
    """A density over the times of a process."""

    @abstractmethod
    def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
        """Times t in [t_min, t_max], the inverse CDF at `uniforms` in [0, 1); float64."""

    def correction(self, t: Tensor, process: NoiseProcess) -> Tensor:
        """A factor of the loss at `t`: 1, unless the density is divided out."""
        return torch.ones_like(t)


@dataclass(frozen=True)
class UniformTime(TimeSampling):
    """t uniform on [t_min, t_max]: Song et al. 2021 (arXiv:2011.13456), equation 7."""

    def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
        return process.t_min + uniforms * (process.t_max - process.t_min)


@dataclass(frozen=True)
class Importance(TimeSampling):
    """Density proportional to g^2 / sigma^2, divided out again: t as if uniform, less variance.

    Song, Durkan, Murray & Ermon 2021 (arXiv:2101.09258), section 5.1, for the likelihood weighting
    g^2, whose loss in terms of eps weighs g^2 / sigma^2. Since g^2 = 2 sigma^2 (ln s)' under every
    process, this density is (ln s)' / ln(s_max / s_min): ln s is uniform on the process's range.
    (Under VP and sub-VP, where sigma(0) = 0, t_min = 1e-5 keeps that range finite.)
    """

    def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
        low, high = process.s_range
        return _times_at(low * (math.log(high / low) * uniforms).exp(), process)

    def correction(self, t: Tensor, process: NoiseProcess) -> Tensor:
        """Uniform density over this one: sigma^2 / g^2 times its mean inverse, as s tells it."""
        low, high = process.s_range
        density = process.g2(t) / (2 * process.sigma(t).square()) / math.log(high / low)
        return 1.0 / ((process.t_max - process.t_min) * density)


@dataclass(frozen=True)
class LogNormal(TimeSampling):
    """ln s normal with `mean` and `std`: EDM (arXiv:2206.00364), table 1 (-1.2 and 1.2)."""

    mean: float = -1.2
    std: float = 1.2

    def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
        # ndtri(0) is minus infinity; half an ulp of the float64 grid keeps it finite.
        normal = torch.special.ndtri(uniforms.clamp(min=2.0**-54))
        return _times_at((self.mean + self.std * normal).exp(), process)


@dataclass(frozen=True)
class LogUniform(TimeSampling):
    """ln s uniform on [ln low, ln high]: equal attention to every octave of noise."""

    low: float = 0.002
    high: float = 80.0

    def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
        span = math.log(self.high / self.low)
        return _times_at(self.low * (span * uniforms).exp(), process)


@dataclass(frozen=True)
class Mixture(TimeSampling):
    """`first` with probability `share`, else `second`; strata stay strata."""

    first: TimeSampling
    second: TimeSampling
    share: float = 0.5

    def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
        of_first = uniforms < self.share
        rest = (uniforms - self.share).clamp(min=0.0) / (1.0 - self.share)
        first = self.first.draw((uniforms / self.share).clamp(max=1.0 - 2.0**-53), process)
        return torch.where(of_first, first, self.second.draw(rest, process))


def _times_at(s: Tensor, process: NoiseProcess) -> Tensor:
    """Times at the noise-to-signal ratios `s`, moved to the ends where outside the process."""
    return process.time_at(s).clamp(process.t_min, process.t_max)
