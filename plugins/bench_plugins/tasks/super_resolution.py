"""Super-resolution: the means of blocks of pixels are observed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import InverseProblem, LinearOperator, Operator, UnsupportedError, require
from bench_plugins.tasks.papers import KAWAR2022


@dataclass(frozen=True, eq=False)
class BlockMeans(LinearOperator):
    """Means of blocks of the last axes; the singular vectors are constant on one block each.

    Attributes:
        shape: of a sample.
        factor: side k of a block, of one axis (points) or two (images).
        values: k^(-axes / 2), (m,).
    """

    shape: tuple[int, ...]
    factor: int
    values: Tensor

    @property
    def _split(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shape of a sample in blocks, and the axes of a block (the batch is axis 0)."""
        lead, axes = self.shape[:-2], self.shape[-2:]
        parts = [size for n in axes for size in (n // self.factor, self.factor)]
        within = tuple(len(lead) + 2 + 2 * i for i in range(len(axes)))
        return (*lead, *parts), within

    def coefficients(self, x: Tensor) -> Tensor:
        shape, within = self._split
        size = self.factor ** len(within)
        return (x.reshape(-1, *shape).sum(within) / math.sqrt(size)).flatten(1)

    def image(self, coefficients: Tensor) -> Tensor:
        shape, within = self._split
        few = [1 if i + 1 in within else n for i, n in enumerate(shape)]
        blocks = coefficients.reshape(-1, *few) / math.sqrt(self.factor ** len(within))
        return blocks.expand(-1, *shape).reshape(-1, *self.shape)


@dataclass(frozen=True)
class SuperResolution(InverseProblem):
    """The mean of each block of k x k pixels is observed (of k entries, for points).

    Attributes:
        factor: k; it must divide height and width.
        noise: standard deviation of the noise of a block's mean, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    name: ClassVar[str] = "super_resolution"
    reference: ClassVar[str] = "Kawar et al. 2022, arXiv:2201.11793 (block averaging)"
    bibtex: ClassVar[str] = KAWAR2022

    factor: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.factor >= 2, "factor must be >= 2")

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        axes = shape[-2:]
        if any(n % self.factor for n in axes):
            raise UnsupportedError(
                f"blocks of {self.factor} do not divide samples of {'x'.join(map(str, shape))}; "
                "choose another factor"
            )
        value = self.factor ** (-len(axes) / 2)
        count = math.prod(shape) // self.factor ** len(axes)
        values = torch.full((count,), value, device=device, dtype=dtype)
        return BlockMeans(shape, self.factor, values)
