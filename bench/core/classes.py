"""Class-conditional denoisers: the class of each sample, and guidance towards it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from bench.core.errors import BenchError, UnsupportedError
from bench.core.noise import NoiseStream, permutation
from bench.core.shards import in_shards

NO_CLASS = -1
"""The label of a sample that is of no class."""


class ClassDenoiser(Protocol):
    """D(y; s, c) = E[x_0 | x_0 + s eps = y, x_0 of class c].

    ``y`` has shape (n, *shape), ``s`` shape () or (n,), ``labels`` shape (n,), int64, on the
    device of ``y``; ``NO_CLASS`` asks for D(y; s).
    """

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Conditional:
    """A class-conditional denoiser, the classes of its samples, and classifier-free guidance.

    With guidance w the denoiser is D(y; s) + w (D(y; s, c) - D(y; s)), which takes two network
    evaluations, and is counted so (Ho and Salimans 2022, arXiv:2207.12598, Eq. 6; their w is
    w - 1 here). w = 1 is the conditional network.

    Attributes:
        network: the network of one evaluation.
        classes: the number of classes.
        label: the class of all samples, from 0, or ``NO_CLASS``; ``None``: each sample's own is
            drawn uniformly from its seed, whatever the batch.
        guidance: w.
        balanced: without ``label``, whether classes are drawn without replacement: each of the
            blocks of ``classes`` consecutive samples holds every class once, in an order drawn
            by (seed, block). Among n samples two classes differ in number by one at most, and a
            sample's class depends neither on n nor on the batch.
    """

    network: ClassDenoiser
    classes: int
    label: int | None = None
    guidance: float = 1.0
    balanced: bool = False

    @property
    def price(self) -> int:
        """Network evaluations of one call."""
        return 1 if self.guidance == 1.0 else 2

    def with_counter(self, count: Callable[[int], None]) -> Conditional:
        """The same with ``count`` called with the rows of each evaluation of the network."""
        network = self.network

        def denoise(y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
            count(y.shape[0])
            return network(y, s, labels)

        return replace(self, network=denoise)

    def labels(self, seed: int, first: int, count: int, device: torch.device) -> Tensor:
        """The classes of the samples ``first`` .. ``first + count - 1``, int64, (count,)."""
        if self.label is not None:
            return torch.full((count,), self.label, device=device)
        if self.balanced:
            return self._balanced_labels(seed, first, count).to(device)
        stream = NoiseStream(seed, "class", first, count, (1,), torch.float64)
        return stream.uniform().mul_(self.classes).flatten().long().to(device)

    def _balanced_labels(self, seed: int, first: int, count: int) -> Tensor:
        """The classes of these samples, from blocks that hold each class once."""
        start = first // self.classes
        blocks = range(start, -(-(first + count) // self.classes))
        orders = [permutation(seed, "deal", block, self.classes) for block in blocks]
        skipped = first - start * self.classes
        return torch.cat([*orders, torch.empty(0, dtype=torch.int64)])[skipped : skipped + count]

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        """D of rows with these ``labels``, (n,), guided; without them all rows are of ``label``.

        Raises:
            UnsupportedError: there are neither ``labels`` nor a ``label``.
        """
        if labels is None:
            if self.label is None:
                raise UnsupportedError(
                    "each sample has a class of its own, which this use of the model does not "
                    "know; set the model's parameter label"
                )
            labels = torch.full(y.shape[:1], self.label, device=y.device)
        conditional = self.network(y, s, labels)
        if self.guidance == 1.0:
            return conditional
        unconditional = self.network(y, s, torch.full_like(labels, NO_CLASS))
        return unconditional.lerp(conditional, self.guidance)


@dataclass(frozen=True, eq=False)
class OwnClasses:
    """The denoiser of the samples of one batch, each of its own class.

    Attributes:
        network: the conditional denoiser.
        labels: the samples' classes, (n,).
        shard: rows of one network call.
    """

    network: Conditional
    labels: Tensor
    shard: int

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        if len(self.labels) != len(y):
            raise BenchError(
                f"the model was asked for {len(y)} rows of a batch of {len(self.labels)} samples "
                "with classes of their own; a solver asks for some of them by problem.of_rows"
            )
        return in_shards(self.network, y, s, self.labels, shard=self.shard)

    def of_rows(self, rows: Tensor) -> OwnClasses:
        """The denoiser of the samples with the indices ``rows``."""
        return replace(self, labels=self.labels[rows])
