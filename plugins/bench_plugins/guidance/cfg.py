"""Classifier-free guidance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, Passes, require
from bench_plugins.guidance.classes import check_classes
from bench_plugins.guidance.papers import HO2022CFG


@dataclass(frozen=True)
class ClassifierFree(Guidance[None]):
    """D + w (D_c - D), where D_c knows the class and D does not; two evaluations a call.

    w = 1 is the conditional model, w = 0 the unconditional one. No distribution has the guided
    score: it is not that of p(x) p(c | x)^w but at the smallest noise.

    Attributes:
        scale: w.
    """

    name: ClassVar[str] = "cfg"
    reference: ClassVar[str] = (
        "Ho and Salimans 2022, arXiv:2207.12598, Eq. 6; their w is w - 1 here"
    )
    bibtex: ClassVar[str] = HO2022CFG

    scale: float = 2.0

    def __post_init__(self) -> None:
        require(math.isfinite(self.scale), "scale must be a finite number")

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.scale in (0.0, 1.0) else 2)

    def start(self, given: Given) -> None:
        if self.scale != 0.0:
            check_classes(given)

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        if self.scale == 1.0:
            d = given.conditional(y, s)
            return Guided(d, d)
        plain = given.plain(y, s)
        if self.scale == 0.0:
            return Guided(plain, plain)
        return Guided(plain.lerp(given.conditional(y, s), self.scale), plain)
