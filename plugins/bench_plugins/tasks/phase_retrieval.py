"""Phase retrieval: the modulus of the Fourier transform is observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import InverseProblem, Operator, require
from bench_plugins.tasks.papers import CHUNG2023DPS


@dataclass(frozen=True)
class FourierModulus(Operator):
    """|F(pad(x))| over the last axes, orthonormal F, zeros appended to each axis.

    Attributes:
        oversampling: length of a padded axis over that of the axis.
    """

    oversampling: int

    def __call__(self, x: Tensor) -> Tensor:
        axes = tuple(range(max(1, x.ndim - 2), x.ndim))
        sizes = [self.oversampling * x.shape[axis] for axis in axes]
        waves: Tensor = torch.fft.fftn(x, sizes, axes, norm="ortho")
        return waves.abs().flatten(1)


@dataclass(frozen=True)
class PhaseRetrieval(InverseProblem):
    """The modulus of the oversampled Fourier transform is observed, its phase is not.

    Not linear: methods that need a matrix refuse it. x and -x, and x turned by half a turn within
    the padding, have the same observation, so that errors against the truth have to be read with
    that in mind; the data misfit has not.

    Attributes:
        oversampling: length of the padded axes over that of the sample's.
        noise: standard deviation of the noise of a modulus, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    name: ClassVar[str] = "phase_retrieval"
    reference: ClassVar[str] = "Chung et al. 2023, arXiv:2209.14687, Section 4 (phase retrieval)"
    bibtex: ClassVar[str] = CHUNG2023DPS

    oversampling: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1 <= self.oversampling <= 8, "oversampling must lie in 1..8")

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        return FourierModulus(self.oversampling)
