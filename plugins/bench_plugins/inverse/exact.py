"""The exact conditional score, as control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, paper


@dataclass(frozen=True)
class ExactPosteriorScore(Guidance[None]):
    """E[x_0 | x_t, y] in closed form: what is left is the solver's error.

    For mixtures with linear observations. It evaluates the model too, so that it costs what a
    method with one evaluation does; an optimal method could not do better.
    """

    name: ClassVar[str] = "exact"
    reference: ClassVar[str] = "closed form; Song et al. 2021, arXiv:2011.13456, Eq. 14"
    bibtex: ClassVar[str] = paper("song2021score")
    observes: ClassVar[bool] = True

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        return Guided(given.posterior.denoise(y, s), given.usual(y, s))
