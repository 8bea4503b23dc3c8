"""Networks of the samples of one batch: counted, in shards, each sample with its own class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from bench.core.errors import BenchError, UnsupportedError
from bench.core.evaluations import Evaluations
from bench.core.shards import in_shards, shard_slices


class Denoiser(Protocol):
    """The normalised denoiser D(y; s) = E[x_0 | x_0 + s eps = y].

    ``y`` has shape (n, *shape), ``s`` shape () or (n,); the result has the shape of ``y``.
    Whatever a network was trained as (score, eps, x0, v, velocity), it enters the harness in this
    one form: D = y + s^2 score(y; s) = y - s eps(y; s).
    """

    def __call__(self, y: Tensor, s: Tensor) -> Tensor: ...


class RowDenoiser(Denoiser, Protocol):
    """The denoiser D(y; s) of the samples of one batch, which it may treat each in its own way."""

    def of_rows(self, rows: Tensor) -> RowDenoiser:
        """The denoiser of the samples with the indices ``rows``, shape (m,)."""
        ...


class ForSamples(ABC):
    """A model that is another denoiser for each sample: of its class, or of what is asked of it."""

    @property
    @abstractmethod
    def price(self) -> int:
        """Passes through the network of one call, at most."""

    def alike(self) -> Denoiser:
        """The denoiser, if it is the same for all samples.

        Raises:
            UnsupportedError: it is not.
        """
        raise UnsupportedError(
            "under guidance or a task the model is another one for each sample, which this use of "
            "it does not know"
        )

    @abstractmethod
    def of_samples(
        self,
        seed: int,
        first: int,
        count: int,
        device: torch.device,
        evaluations: Evaluations,
        shard: int,
    ) -> RowDenoiser:
        """The denoiser of the samples ``first`` .. ``first + count - 1`` of a run with this seed.

        Args:
            seed: of the run.
            first: index of the batch's first sample.
            count: samples of the batch.
            device: of the state.
            evaluations: counts every row.
            shard: rows of one network call.
        """


@dataclass(frozen=True, eq=False)
class RowNetwork:
    """A network and what it is given with each sample of a batch.

    Attributes:
        network: called as ``network(y, s, *each)``; counts its rows.
        each: further arguments with a row for each sample, such as its class.
        evaluations: the counter of ``network``.
        shard: rows of one network call.
    """

    network: Callable[..., Tensor]
    each: tuple[Tensor, ...]
    evaluations: Evaluations
    shard: int

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        self._check(y)
        return in_shards(self.network, y, s, *self.each, shard=self.shard)

    def with_vjp(self, y: Tensor, s: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """D, and v -> v^T dD/dy, which may be called once; both have the shape of ``y``.

        One evaluation, and one vector-Jacobian product when that is called.
        """
        self._check(y)
        slices = shard_slices(len(y), self.shard)
        with torch.enable_grad():
            leaves = [y[rows].detach().requires_grad_(True) for rows in slices]
            outputs = [
                self.network(leaf, s if s.ndim == 0 else s[rows], *(e[rows] for e in self.each))
                for leaf, rows in zip(leaves, slices, strict=True)
            ]

        def vjp(v: Tensor) -> Tensor:
            parts = zip(outputs, leaves, slices, strict=True)
            return torch.cat([torch.autograd.grad(d, leaf, v[rows])[0] for d, leaf, rows in parts])

        return torch.cat([d.detach() for d in outputs]), vjp

    def of_rows(self, rows: Tensor) -> RowNetwork:
        """The network of the samples with the indices ``rows``."""
        return replace(self, each=tuple(item[rows] for item in self.each))

    def _check(self, y: Tensor) -> None:
        if any(len(item) != len(y) for item in self.each):
            raise BenchError(
                f"the model was asked for {len(y)} rows of a batch of {len(self.each[0])} samples "
                "with classes of their own; a solver asks for some of them by problem.of_rows"
            )


def with_counter(network: Callable[..., Tensor], evaluations: Evaluations) -> Callable[..., Tensor]:
    """``network(y, ...)``, counted in ``evaluations``."""

    def denoise(y: Tensor, *rest: Tensor) -> Tensor:
        evaluations.rows += y.shape[0]
        return count_vjps(network(y, *rest), evaluations)

    return denoise


def count_vjps(output: Tensor, evaluations: Evaluations) -> Tensor:
    """``output`` of a network, so that whoever differentiates it is counted, by whatever way."""

    def count(gradient: Tensor) -> None:
        evaluations.vjp_rows += len(gradient)

    if output.requires_grad:
        output.register_hook(count)
    return output


def rows_of(s: Tensor, y: Tensor) -> Tensor:
    """``s`` of shape () or (n,), shaped to broadcast over the sample dimensions of ``y``."""
    return s.reshape(-1, *(1,) * (y.ndim - 1))
