"""Linear operators given by a matrix: one at random, or one in a file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    FilePath,
    InverseProblem,
    LinearOperator,
    NoiseStream,
    Operator,
    UnsupportedError,
    load_tensors,
    require,
)
from bench_plugins.tasks.blocks import in_blocks
from bench_plugins.tasks.papers import KAWAR2022

_RANK = 1e-10
"""Singular values up to this share of the largest are zeros with rounding errors."""


@dataclass(frozen=True, eq=False)
class Dense(LinearOperator):
    """A matrix by its singular value decomposition.

    Attributes:
        values: singular values, (m,), falling.
        right: their right singular vectors as rows, (m, d).
        shape: of a sample, d entries.
    """

    values: Tensor
    right: Tensor
    shape: tuple[int, ...]

    def coefficients(self, x: Tensor) -> Tensor:
        return in_blocks(lambda block: block @ self.right.T, x.flatten(1))

    def image(self, coefficients: Tensor) -> Tensor:
        flat = in_blocks(lambda block: block @ self.right, coefficients)
        return flat.reshape(-1, *self.shape)


def decompose(
    matrix: Tensor, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Dense:
    """The operator of ``matrix`` (m, d) for samples of this shape; d is its number of entries.

    Directions that it maps to zero are left out. Each singular vector has its largest entry
    positive, so that an observation does not depend on the library that decomposes.
    """
    _, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    keep = values > _RANK * values[0]
    values, right = values[keep], right[keep]
    largest = right.gather(1, right.abs().argmax(1, keepdim=True))
    return Dense(values.to(device, dtype), (right * largest.sign()).to(device, dtype), shape)


@dataclass(frozen=True)
class RandomLinear(InverseProblem):
    """Random projections: y = A x_0 + noise n, A of m x d independent N(0, 1/d) entries.

    Both splits have the same A.

    Attributes:
        rows: number m of observed numbers, at most d of use.
        noise: standard deviation of the observation's noise, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations, and of A.
    """

    name: ClassVar[str] = "random_linear"
    reference: ClassVar[str] = "Kawar et al. 2022, arXiv:2201.11793 (the SVD)"
    bibtex: ClassVar[str] = KAWAR2022

    rows: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.rows <= 4096, "rows must lie in 1..4096")

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        return _random(self.rows, shape, self.task_seed, device, dtype)


@lru_cache(maxsize=4)
def _random(
    rows: int, shape: tuple[int, ...], seed: int, device: torch.device, dtype: torch.dtype
) -> Dense:
    d = math.prod(shape)
    # A stream of its own: those of the observations' noise are of the purpose "task".
    matrix = NoiseStream(2**42 + seed, "probe", 0, rows, (d,), torch.float64).normal()
    return decompose(matrix / math.sqrt(d), shape, device, dtype)


@dataclass(frozen=True)
class Linear(InverseProblem):
    """A matrix of your own: y = A x_0 + noise n, where x_0 is flattened (channels, rows, columns).

    Attributes:
        matrix: a .npy file with A (m, d), or a .npz or .safetensors file with the one array A.
        noise: standard deviation of the observation's noise, in units of A x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    name: ClassVar[str] = "linear"
    reference: ClassVar[str] = "Kawar et al. 2022, arXiv:2201.11793 (the SVD)"
    bibtex: ClassVar[str] = KAWAR2022

    matrix: FilePath = "matrix.npy"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(bool(self.matrix) and "\0" not in self.matrix, "matrix must be a path")

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        matrix = _read(Path(self.matrix))
        if matrix.shape[1] != math.prod(shape):
            raise UnsupportedError(
                f"the matrix of '{self.matrix}' has {matrix.shape[1]} columns, and the model's "
                f"samples {math.prod(shape)} entries"
            )
        return decompose(matrix, shape, device, dtype)


def _read(path: Path) -> Tensor:
    found = load_tensors(path)
    if len(found) != 1:
        raise BenchError(f"{path}: holds {len(found)} arrays; leave the matrix alone in it")
    (matrix,) = found.values()
    if matrix.ndim != 2 or not matrix.numel() or matrix.is_complex():
        raise BenchError(
            f"{path}: holds an array of shape {tuple(matrix.shape)}, {matrix.dtype}; an operator "
            "is a real matrix (m, d)"
        )
    if not torch.isfinite(matrix).all() or not matrix.count_nonzero():
        raise BenchError(f"{path}: the matrix is zero or not finite; check what wrote it")
    return matrix
