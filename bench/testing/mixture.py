"""A Gaussian mixture on the line, where the probability-flow ODE is solved in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True)
class LineMixture:
    """sum_k w_k N(m_k, c_k^2) in one dimension, smoothed by noise of any level s.

    The flow keeps the order of points, so it is the quantile map between the marginals:
    y_0 = F_0^-1(F_T(y_T)), an exact result for every single sample.

    Attributes:
        weights: positive, adding up to 1.
        means, stds: of the components.
    """

    weights: tuple[float, ...] = (0.5, 0.3, 0.2)
    means: tuple[float, ...] = (-1.0, 0.4, 1.5)
    stds: tuple[float, ...] = (0.4, 0.3, 0.6)

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y] for ``y`` of shape (n, 1), ``s`` of shape () or (n,)."""
        weights, means, variances = self._of(y)
        total = variances + s.reshape(-1, 1).square()
        offset = y - means
        share = (weights.log() - 0.5 * (offset.square() / total + total.log())).softmax(1)
        return (share * (means + variances / total * offset)).sum(1, keepdim=True)

    def cdf(self, y: Tensor, s: float) -> Tensor:
        """P(x_0 + s eps <= y), shape (n, 1)."""
        weights, means, variances = self._of(y)
        below: Tensor = torch.special.ndtr((y - means) / (variances + s * s).sqrt())
        return (weights * below).sum(1, keepdim=True)

    def quantile(self, u: Tensor, s: float) -> Tensor:
        """The inverse of ``cdf`` for ``u`` of shape (n, 1), by bisection to the last bit."""
        reach = max(map(abs, self.means)) + 40 * (max(self.stds) + s)
        low, high = torch.full_like(u, -reach), torch.full_like(u, reach)
        for _ in range(80):
            middle = (low + high) / 2
            below = self.cdf(middle, s) < u
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2

    def _of(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _tensors(self, y.dtype, y.device)


@lru_cache(maxsize=16)
def _tensors(
    mixture: LineMixture, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, means and variances; every denoised sample needs them."""
    weights, means, stds = (
        torch.tensor(values, dtype=dtype, device=device)
        for values in (mixture.weights, mixture.means, mixture.stds)
    )
    return weights, means, stds.square()
