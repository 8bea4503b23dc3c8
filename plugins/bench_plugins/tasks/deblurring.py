"""Deblurring: a Gaussian blur of the sample is observed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import InverseProblem, LinearOperator, Operator, UnsupportedError, require
from bench_plugins.tasks.blocks import in_blocks
from bench_plugins.tasks.papers import KAWAR2022

_RADIUS = 4.0
"""The kernel ends at so many standard deviations."""


@dataclass(frozen=True, eq=False)
class Blur(LinearOperator):
    """A separable symmetric blur, reflected at the borders; its singular vectors are cosines.

    Attributes:
        shape: of a sample.
        rows, columns: cosine transforms of both axes, (h, h) and (w, w); h is 1 for points.
        kept: places of the frequencies that are observed, among h * w, int64.
        signs: those of the blur's eigenvalues, (m,).
        values: their moduli, (m,).
    """

    shape: tuple[int, ...]
    rows: Tensor
    columns: Tensor
    kept: Tensor
    signs: Tensor
    values: Tensor

    def coefficients(self, x: Tensor) -> Tensor:
        planes = x.reshape(len(x), -1, len(self.rows), len(self.columns))
        waves = in_blocks(lambda block: self.rows @ block @ self.columns.T, planes)
        return waves.flatten(2)[:, :, self.kept].flatten(1)

    def image(self, coefficients: Tensor) -> Tensor:
        return self._of_waves(coefficients)

    def show(self, value: Tensor) -> Tensor:
        """The blurred sample itself, noise and all: the pseudo-inverse would be noise."""
        return self._of_waves(value * self.signs)

    def _of_waves(self, seen: Tensor) -> Tensor:
        h, w = len(self.rows), len(self.columns)
        each = seen.reshape(len(seen), -1, len(self.kept))
        waves = each.new_zeros(*each.shape[:2], h * w).index_copy_(2, self.kept, each)
        planes = waves.reshape(len(seen), -1, h, w)
        flat = in_blocks(lambda block: self.rows.T @ block @ self.columns, planes)
        return flat.reshape(-1, *self.shape)


@dataclass(frozen=True)
class Deblurring(InverseProblem):
    """A Gaussian blur of the sample is observed, reflected at the borders (half-sample symmetric).

    Frequencies that the blur damps below ``cutoff`` are not observed at all: of them the
    observation would hold noise, and little else.

    Attributes:
        width: standard deviation of the kernel, in pixels; it ends at 4 of them.
        cutoff: share of the largest singular value down to which frequencies are observed.
        noise: standard deviation of the observation's noise, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    name: ClassVar[str] = "deblurring"
    reference: ClassVar[str] = "Kawar et al. 2022, arXiv:2201.11793 (separable blur)"
    bibtex: ClassVar[str] = KAWAR2022

    width: float = 1.0
    cutoff: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.width <= 100, "width must lie in (0, 100]")
        require(0 < self.cutoff < 1, "cutoff must lie between 0 and 1")

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        if shape[-1] < 2:
            raise UnsupportedError("one number cannot be blurred")
        h, w = (1, *shape)[-2:] if len(shape) == 1 else shape[-2:]
        gains = torch.outer(_gains(h, self.width), _gains(w, self.width)).flatten()
        kept = (gains.abs() > self.cutoff * gains.abs().max()).nonzero().flatten()
        each = gains[kept].repeat(math.prod(shape) // (h * w))
        return Blur(
            shape,
            _cosines(h).to(device, dtype),
            _cosines(w).to(device, dtype),
            kept.to(device),
            each.sign().to(device, dtype),
            each.abs().to(device, dtype),
        )


def _cosines(n: int) -> Tensor:
    """The orthonormal DCT-II, float64, (n, n): the eigenvectors of a symmetric blur as rows.

    Strang 1999, The Discrete Cosine Transform.
    """
    k = torch.arange(n, dtype=torch.float64)
    waves = torch.cos(math.pi / n * torch.outer(k, k + 0.5)) * math.sqrt(2 / n)
    waves[0] /= math.sqrt(2)
    return waves


def _gains(n: int, width: float) -> Tensor:
    """The eigenvalues of the blur of an axis of n pixels, float64, (n,)."""
    radius = int(_RADIUS * width + 0.5)
    at = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (at / width).square())
    k = torch.arange(n, dtype=torch.float64)
    return torch.cos(math.pi / n * torch.outer(k, at)) @ (kernel / kernel.sum())
