"""The denoiser contract and the counter of network evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.core.evaluations import Evaluations
from bench.core.noise import SHARD
from bench.core.rows import Denoiser as Denoiser
from bench.core.rows import ForSamples, RowDenoiser, rows_of, with_counter
from bench.core.shards import in_shards


@dataclass(frozen=True)
class CountedDenoiser:
    """A denoiser that counts its rows and runs in fixed shards.

    The network always sees shards of ``shard`` rows (the last may be smaller), so that samples do
    not depend on the batch size: CPU and GPU kernels give other last bits for other batch shapes.
    ``network`` itself counts, so that a solver that goes past this object is counted all the same;
    a model that is another one for each sample counts within `of_samples`.
    """

    network: Denoiser | ForSamples
    evaluations: Evaluations = field(default_factory=Evaluations)
    shard: int = SHARD

    def __post_init__(self) -> None:
        if not isinstance(self.network, ForSamples):
            object.__setattr__(self, "network", with_counter(self.network, self.evaluations))

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        network = self.network
        if isinstance(network, ForSamples):
            network = with_counter(network.alike(), self.evaluations)
        return in_shards(network, y, s, shard=self.shard)

    def of_samples(
        self, seed: int, first: int, count: int, device: torch.device
    ) -> Denoiser | RowDenoiser:
        """The denoiser of the samples ``first`` .. ``first + count - 1``, each its own."""
        if not isinstance(self.network, ForSamples):
            return self
        return self.network.of_samples(seed, first, count, device, self.evaluations, self.shard)


def from_eps(eps: Callable[[Tensor, Tensor], Tensor]) -> Denoiser:
    """Denoiser of a network that predicts the noise: D = y - s eps(y; s)."""
    return lambda y, s: torch.addcmul(y, rows_of(s, y), eps(y, s), value=-1)


def from_score(score: Callable[[Tensor, Tensor], Tensor]) -> Denoiser:
    """Denoiser of a network that gives the score of y: D = y + s^2 score(y; s) (Tweedie)."""
    return lambda y, s: torch.addcmul(y, rows_of(s, y) ** 2, score(y, s))
