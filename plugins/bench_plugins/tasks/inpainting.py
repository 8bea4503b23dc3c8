"""Inpainting: entries of the sample that are observed, and entries that are not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from bench.api import (
    InverseProblem,
    LinearOperator,
    NoiseStream,
    Operator,
    UnsupportedError,
    require,
)
from bench_plugins.tasks.papers import SONG2021


@dataclass(frozen=True, eq=False)
class Selection(LinearOperator):
    """The entries of a sample that are observed.

    Attributes:
        seen: their places in the flattened sample, int64, (m,).
        shape: of a sample.
        values: ones, (m,).
    """

    seen: Tensor
    shape: tuple[int, ...]
    values: Tensor

    def coefficients(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, self.seen]

    def image(self, coefficients: Tensor) -> Tensor:
        d = coefficients.new_zeros(len(coefficients), torch.Size(self.shape).numel())
        return d.index_copy_(1, self.seen, coefficients).reshape(-1, *self.shape)


@dataclass(frozen=True)
class Inpainting(InverseProblem):
    """Some entries of the sample are observed; all channels of a pixel share their fate.

    Both splits have the same mask.

    Attributes:
        mask: what is hidden: ``half``, the second half of the last axis; ``box``, the middle half
            of both axes; ``random``, pixels at random.
        hidden: share of the pixels that ``random`` hides, in (0, 1): their number is that share
            rounded, and at least one is hidden and one is seen.
        noise: standard deviation of the observation's noise, in units of x_0.
        draws: consecutive samples that answer one question.
        split: ``test``, or ``validation`` to choose parameters on.
        task_seed: number of the set of observations.
    """

    name: ClassVar[str] = "inpainting"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Appendix I.2"
    bibtex: ClassVar[str] = SONG2021

    mask: Literal["half", "box", "random"] = "half"
    hidden: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.hidden < 1, "hidden must lie between 0 and 1")

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        pixels = shape[-2:]
        hidden = self._hidden(pixels)
        if hidden.all() or not hidden.any():
            raise UnsupportedError(
                f"the mask '{self.mask}' hides {int(hidden.sum())} of {hidden.numel()} pixels of "
                f"samples of {'x'.join(map(str, shape))}; choose another mask"
            )
        seen = (~hidden).expand(shape).flatten().nonzero().flatten().to(device)
        return Selection(seen, shape, torch.ones(len(seen), device=device, dtype=dtype))

    def _hidden(self, pixels: tuple[int, ...]) -> Tensor:
        mask = torch.zeros(pixels, dtype=torch.bool)
        if self.mask == "random":
            return self._random_mask(pixels)
        if self.mask == "half":
            mask[..., pixels[-1] // 2 :] = True
            return mask
        inside = tuple(slice(n // 4, n - n // 4) for n in pixels)
        mask[inside] = True
        return mask

    def _random_mask(self, pixels: tuple[int, ...]) -> Tensor:
        size = math.prod(pixels)
        count = min(max(round(self.hidden * size), 1), size - 1)
        # A stream of its own: those of the observations' noise are of the purpose "task".
        stream = NoiseStream(2**42 + self.task_seed, "probe", 0, 1, (size,), torch.float64)
        place = stream.uniform()[0].argsort(stable=True).argsort(stable=True)
        return (place < count).reshape(pixels)
