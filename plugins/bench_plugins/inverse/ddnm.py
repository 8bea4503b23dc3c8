"""DDNM: the observed part of D is put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided
from bench_plugins.inverse.papers import WANG2023DDNM


@dataclass(frozen=True)
class Ddnm(Guidance[None]):
    """D + A^+ (y - A D): the observed part of D replaced by the observation, noise and all.

    Made for observations without noise; where there is noise, it stays in the samples.
    """

    name: ClassVar[str] = "ddnm"
    reference: ClassVar[str] = "Wang, Yu and Zhang 2023, arXiv:2212.00490, Eq. 13"
    bibtex: ClassVar[str] = WANG2023DDNM
    observes: ClassVar[bool] = True

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        seen, d = given.observation, given.usual(y, s)
        return Guided(d + seen.linear.pinv(seen.residual(d)), d)
