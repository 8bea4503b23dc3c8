"""Power-law averaging of weights over the whole training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class PowerLaw:
    """The averaging rule w <- beta_t w + (1 - beta_t) theta, beta_t = (1 - 1/t)^(gamma + 1).

    Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models"
    (arXiv:2312.02696), section 3.1: the average's profile over time is t^gamma, so its length
    stays a fixed fraction of the training so far and forgets the random start. `relative_std`
    (their sigma_rel, in (0, 0.28)) is the standard deviation of that profile relative to the
    length of the training. An instance is a `multi_avg_fn` of `torch.optim.swa_utils`.
    """

    relative_std: float = 0.05

    @property
    def gamma(self) -> float:
        """The exponent: the positive root of (g + 1) / ((g + 2)^2 (g + 3)) = relative_std^2."""
        inverse = self.relative_std**-2
        roots = np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse])
        return float(roots.real.max())

    def decay(self, step: int) -> float:
        """beta of the step-th update, counted from 1 (where it is 0: nothing to remember)."""
        return float((1.0 - 1.0 / step) ** (self.gamma + 1.0))

    @torch.no_grad()
    def __call__(
        self, averages: Sequence[Tensor], weights: Sequence[Tensor], updates: Tensor | int
    ) -> None:
        """Moves `averages` towards `weights` in place; `updates` have been made before."""
        share = 1.0 - self.decay(int(updates) + 1)
        for average, weight in zip(averages, weights, strict=True):
            average.lerp_(weight, share)
