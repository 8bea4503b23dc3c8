"""The denoiser contract and the counter of network evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from bench.core.classes import Conditional, OwnClasses
from bench.core.noise import SHARD
from bench.core.shards import in_shards


class Denoiser(Protocol):
    """The normalised denoiser D(y; s) = E[x_0 | x_0 + s eps = y].

    ``y`` has shape (n, *shape), ``s`` shape () or (n,); the result has the shape of ``y``.
    Whatever a network was trained as (score, eps, x0, v, velocity), it enters the harness in this
    one form: D = y + s^2 score(y; s) = y - s eps(y; s).
    """

    def __call__(self, y: Tensor, s: Tensor) -> Tensor: ...


@dataclass
class Evaluations:
    """Rows that went through the network: the honest NFE is rows / samples."""

    rows: int = 0
    vjp_rows: int = 0

    def nfe(self, samples: int) -> float:
        """Forward evaluations per sample."""
        return self.rows / samples

    def vjps(self, samples: int) -> float:
        """Vector-Jacobian products per sample."""
        return self.vjp_rows / samples


@dataclass(frozen=True)
class CountedDenoiser:
    """A denoiser that counts its rows and runs in fixed shards.

    The network always sees shards of ``shard`` rows (the last may be smaller), so that samples do
    not depend on the batch size: CPU and GPU kernels give other last bits for other batch shapes.
    ``network`` itself counts, so that a solver that goes past this object is counted all the same;
    a conditional one counts within its guidance.
    """

    network: Denoiser | Conditional
    evaluations: Evaluations = field(default_factory=Evaluations)
    shard: int = SHARD

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", _with_counter(self.network, self.evaluations))

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        return in_shards(self.network, y, s, shard=self.shard)

    def of_samples(
        self, seed: int, first: int, count: int, device: torch.device
    ) -> Denoiser | OwnClasses:
        """The denoiser of the samples ``first`` .. ``first + count - 1``, of their own classes."""
        if not isinstance(self.network, Conditional):
            return self
        labels = self.network.labels(seed, first, count, device)
        return OwnClasses(self.network, labels, self.shard)


def _with_counter(
    network: Denoiser | Conditional, evaluations: Evaluations
) -> Denoiser | Conditional:
    def count(rows: int) -> None:
        evaluations.rows += rows

    if isinstance(network, Conditional):
        return network.with_counter(count)

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        evaluations.rows += y.shape[0]
        return network(y, s)

    return denoise


def from_eps(eps: Callable[[Tensor, Tensor], Tensor]) -> Denoiser:
    """Denoiser of a network that predicts the noise: D = y - s eps(y; s)."""
    return lambda y, s: torch.addcmul(y, rows_of(s, y), eps(y, s), value=-1)


def from_score(score: Callable[[Tensor, Tensor], Tensor]) -> Denoiser:
    """Denoiser of a network that gives the score of y: D = y + s^2 score(y; s) (Tweedie)."""
    return lambda y, s: torch.addcmul(y, rows_of(s, y) ** 2, score(y, s))


def rows_of(s: Tensor, y: Tensor) -> Tensor:
    """``s`` of shape () or (n,), shaped to broadcast over the sample dimensions of ``y``."""
    return s.reshape(-1, *(1,) * (y.ndim - 1))
