"""Averages of the weights over the training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bench.api import BenchError


class Average(ABC):
    """The rule w <- beta w + (1 - beta) theta after each step, with some beta.

    An instance is a `multi_avg_fn` of `torch.optim.swa_utils`, where the average begins as the
    weights after the first step (beta_1 = 0).
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """A name for files, unique among the averages of a run."""

    @abstractmethod
    def decay(self, step: int) -> float:
        """beta of the step-th update, counted from 1, in [0, 1)."""

    @torch.no_grad()
    def __call__(
        self, averages: Sequence[Tensor], weights: Sequence[Tensor], updates: Tensor | int
    ) -> None:
        """Moves `averages` towards `weights` in place; `updates` have been made before."""
        share = 1.0 - self.decay(int(updates) + 1)
        for average, weight in zip(averages, weights, strict=True):
            average.lerp_(weight, share)


@dataclass(frozen=True)
class PowerLaw(Average):
    """beta_t = (1 - 1/t)^(gamma + 1).

    Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models"
    (arXiv:2312.02696), section 3.1: the average's profile over time is t^gamma, so its length
    stays a fixed fraction of the training so far and forgets the random start. `relative_std`
    (their sigma_rel, in (0, 0.28)) is the standard deviation of that profile relative to the
    length of the training.
    """

    relative_std: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.relative_std < 0.28:
            raise BenchError(
                f"--ema {self.relative_std:g}: the width relative to the run must be in (0, 0.28)"
            )

    @property
    def label(self) -> str:
        return f"power-{self.relative_std:g}"

    @property
    def gamma(self) -> float:
        """The exponent: the positive root of (g + 1) / ((g + 2)^2 (g + 3)) = relative_std^2."""
        inverse = self.relative_std**-2
        roots = np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse])
        return float(roots.real.max())

    def decay(self, step: int) -> float:
        return float((1.0 - 1.0 / step) ** (self.gamma + 1.0))


@dataclass(frozen=True)
class HalfLife(Average):
    """beta = 2^(-batch / h), h = min(images, ramp * images seen before): EDM's average.

    Karras et al. 2022 (arXiv:2206.00364), table 7 and their training loop: a weight counts half
    after `images` samples; in the beginning after a share `ramp` of those seen.

    batch: samples per step.
    """

    images: int
    batch: int
    ramp: float = 0.05

    def __post_init__(self) -> None:
        if self.images <= 0:
            raise BenchError(f"--ema-halflife {self.images}: must be a positive number of images")

    @property
    def label(self) -> str:
        return f"halflife-{self.images}"

    def decay(self, step: int) -> float:
        life = min(float(self.images), self.ramp * (step - 1) * self.batch)
        return 0.0 if life == 0.0 else float(0.5 ** (self.batch / life))


@dataclass(frozen=True)
class Rate(Average):
    """beta_t = min(rate, (1 + t) / (10 + t)): score_sde's average (arXiv:2011.13456, appendix H).

    Theirs begins as the initial weights, this one as those after the first step.
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0.0 < self.rate < 1.0:
            raise BenchError(f"--ema-rate {self.rate:g}: must be in (0, 1), such as 0.9999")

    @property
    def label(self) -> str:
        return f"rate-{self.rate:g}"

    def decay(self, step: int) -> float:
        return min(self.rate, (1 + step) / (10 + step))
