"""Class-conditional denoisers, and the class of each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.evaluations import Evaluations
from bench.core.noise import NoiseStream, permutation
from bench.core.rows import Denoiser, ForSamples, RowNetwork, with_counter

NO_CLASS = -1
"""The label of a sample that is of no class."""


class ClassDenoiser(Protocol):
    """D(y; s, c) = E[x_0 | x_0 + s eps = y, x_0 of class c].

    ``y`` has shape (n, *shape), ``s`` shape () or (n,), ``labels`` shape (n,), int64, on the
    device of ``y``; ``NO_CLASS`` asks for D(y; s).
    """

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Conditional(ForSamples):
    """A class-conditional denoiser, and the classes of its samples.

    Attributes:
        network: the network of one evaluation.
        classes: the number of classes.
        label: the class of all samples, from 0, or ``NO_CLASS``; ``None``: each sample's own is
            drawn uniformly from its seed, whatever the batch.
        balanced: without ``label``, whether classes are drawn without replacement: each of the
            blocks of ``classes`` consecutive samples holds every class once, in an order drawn
            by (seed, block). Among n samples two classes differ in number by one at most, and a
            sample's class depends neither on n nor on the batch.
        plain: whether the network knows ``NO_CLASS``.
    """

    network: ClassDenoiser
    classes: int
    label: int | None = None
    balanced: bool = False
    plain: bool = True

    @property
    def price(self) -> int:
        return 1

    def of_samples(
        self,
        seed: int,
        first: int,
        count: int,
        device: torch.device,
        evaluations: Evaluations,
        shard: int,
    ) -> RowNetwork:
        labels = self.labels(seed, first, count, device)
        return RowNetwork(with_counter(self.network, evaluations), (labels,), evaluations, shard)

    def alike(self) -> Denoiser:
        if self.label is None:
            raise UnsupportedError(
                "each sample has a class of its own, which this use of the model does not "
                "know; set the model's parameter label"
            )
        label = self.label
        return lambda y, s: self.network(y, s, torch.full(y.shape[:1], label, device=y.device))

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
