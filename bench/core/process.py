"""Gaussian noise processes x_t = alpha(t) x_0 + sigma(t) eps and points of time on them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.plugin import Plugin


@dataclass(frozen=True, slots=True)
class Time:
    """A point of time, computed once in float64, so that a solver's step launches only its formula.

    Attributes:
        t: time of the process.
        alpha: signal scale alpha(t).
        sigma: noise standard deviation sigma(t).
        s: noise-to-signal ratio sigma / alpha (EDM's sigma).
        lam: half log-SNR ln(alpha / sigma) = -ln s (DPM-Solver's lambda).
        f: drift coefficient, f(x, t) = f x, equal to (ln alpha)'.
        g2: squared diffusion coefficient g(t)^2 = 2 sigma^2 (ln s)'.
    """

    t: float
    alpha: float
    sigma: float
    s: float
    lam: float
    f: float
    g2: float


class NoiseProcess(Plugin, ABC):
    """x_t = alpha(t) x_0 + sigma(t) eps for t in [t_min, t_max], with sigma/alpha increasing in t.

    A subclass is a frozen dataclass that gives ``alpha``, ``sigma``, ``time_at`` and the range of
    t; drift and diffusion follow (Song et al. 2021, arXiv:2011.13456; Karras et al. 2022,
    arXiv:2206.00364, Appendix B). All functions work elementwise on tensors of any shape; feed
    them float64 where sigma is small (float32 loses 2 % of VP's sigma at t = 1e-5).
    """

    @property
    @abstractmethod
    def t_min(self) -> float:
        """Smallest time of use (> 0 where sigma(0) = 0)."""

    @property
    @abstractmethod
    def t_max(self) -> float:
        """Largest time of use."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """Signal scale alpha(t), shape of ``t``."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """Noise standard deviation sigma(t), shape of ``t``."""

    @abstractmethod
    def time_at(self, s: Tensor) -> Tensor:
        """Inverse of s(t) = sigma(t) / alpha(t), shape of ``s``."""

    def f(self, t: Tensor) -> Tensor:
        """Drift coefficient (ln alpha)'(t): the forward SDE is dx = f x dt + g dw."""
        return _derivative(lambda u: self.alpha(u).log(), t)

    def g2(self, t: Tensor) -> Tensor:
        """Squared diffusion coefficient g(t)^2 = (sigma^2)' - 2 f sigma^2 = 2 sigma^2 (ln s)'."""
        log_s_rate = _derivative(lambda u: self.sigma(u).log() - self.alpha(u).log(), t)
        return 2 * self.sigma(t) ** 2 * log_s_rate

    def at(self, t: float) -> Time:
        """The point ``t`` with all its schedule values as Python floats (cached)."""
        return _time(self, t)

    def at_s(self, s: float) -> Time:
        """The point whose noise-to-signal ratio is ``s`` (cached)."""
        return _time_of_level(self, s)

    @property
    def s_range(self) -> tuple[float, float]:
        """Noise-to-signal ratios at ``t_min`` and ``t_max``."""
        return self.at(self.t_min).s, self.at(self.t_max).s


def _derivative(function: Callable[[Tensor], Tensor], t: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        u = t.detach().clone().requires_grad_(True)
        value = function(u)
        if not value.requires_grad:  # a constant schedule, such as VE's alpha = 1
            return torch.zeros_like(t)
        (rate,) = torch.autograd.grad(value.sum(), u)
    return rate


@lru_cache(maxsize=65536)
def _time_of_level(process: NoiseProcess, s: float) -> Time:
    return process.at(float(process.time_at(torch.tensor(s, dtype=torch.float64))))


@lru_cache(maxsize=65536)
def _time(process: NoiseProcess, t: float) -> Time:
    point = torch.tensor(t, dtype=torch.float64)
    alpha, sigma = float(process.alpha(point)), float(process.sigma(point))
    if not (alpha > 0 and sigma > 0 and math.isfinite(alpha) and math.isfinite(sigma)):
        raise BenchError(
            f"process '{process.name}': alpha = {alpha:g} and sigma = {sigma:g} at t = {t:g}; "
            "both must be positive and finite; keep t inside the process's range"
        )
    s = sigma / alpha
    return Time(t, alpha, sigma, s, -math.log(s), float(process.f(point)), float(process.g2(point)))
