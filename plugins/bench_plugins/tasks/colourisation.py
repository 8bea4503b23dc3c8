"""Colourisation: the grey value of each pixel is observed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import InverseProblem, LinearOperator, Operator, UnsupportedError
from bench_plugins.tasks.papers import SONG2021


@dataclass(frozen=True, eq=False)
class Grey(LinearOperator):
    """(R + G + B) / sqrt(3): the grey axis of an orthonormal basis of colours.

    Attributes:
        shape: (3, height, width) of a sample.
        values: ones, (m,), one for each pixel.
    """

    shape: tuple[int, ...]
    values: Tensor

    def coefficients(self, x: Tensor) -> Tensor:
        return (x.sum(1) / math.sqrt(3)).flatten(1)

    def image(self, coefficients: Tensor) -> Tensor:
        grey = coefficients.reshape(-1, 1, *self.shape[1:]) / math.sqrt(3)
        return grey.expand(-1, *self.shape).contiguous()


@dataclass(frozen=True)
class Colourisation(InverseProblem):
    """The grey value of each pixel is observed, in a basis that decouples it from the colour.

    The observed number is (R + G + B) / sqrt(3), an axis of an orthonormal basis of the colours, so
    that the noise is white in x_0: that of the mean (R + G + B) / 3 is noise / sqrt(3).

    Attributes:
        noise: standard deviation of the observation's noise, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    name: ClassVar[str] = "colourisation"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Appendix I.3"
    bibtex: ClassVar[str] = SONG2021

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        if len(shape) != 3 or shape[0] != 3:
            raise UnsupportedError(
                f"colourisation needs images of 3 channels, and the model's samples are "
                f"{'x'.join(map(str, shape))}"
            )
        return Grey(shape, torch.ones(shape[1] * shape[2], device=device, dtype=dtype))
