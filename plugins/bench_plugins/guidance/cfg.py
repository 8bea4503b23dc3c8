"""Classifier-free guidance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guided, Passes
from bench_plugins.guidance.classes import check_classes
from bench_plugins.guidance.papers import HO2022CFG, KYNKAANNIEMI2024, WANG2024SCHEDULERS
from bench_plugins.guidance.scale import ScaledGuidance, blend


@dataclass(frozen=True)
class ClassifierFree(ScaledGuidance[None]):
    """D + w (D_c - D), where D_c knows the class and D does not; two evaluations a call.

    w = 1 is the conditional model, w = 0 the unconditional one, at one evaluation each; beyond the
    interval w is 1. No distribution has the guided score: it is not that of p(x) p(c | x)^w but at
    the smallest noise.

    Attributes:
        scale: w.
        schedule: shape(u) of w - 1 at flow time u = s / (1 + s): 1 (``constant``), 1 - u
            (``linear``), (1 + cos pi u) / 2 (``cosine``) or (1 - u)^power (``power``).
        power: the exponent of ``power``; 2 for all others.
        s_low, s_high: s between which there is guidance; ``None``: no upper end.
    """

    name: ClassVar[str] = "cfg"
    reference: ClassVar[str] = (
        "Ho and Salimans 2022, arXiv:2207.12598, Section 3.2; their w is w - 1 here; interval: "
        "Kynkaanniemi et al. 2024, arXiv:2404.07724, Eq. 5 and 6; schedules: Wang et al. 2024, "
        "arXiv:2404.13040"
    )
    bibtex: ClassVar[str] = HO2022CFG + KYNKAANNIEMI2024 + WANG2024SCHEDULERS

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.constant in (0.0, 1.0) else 2)

    @property
    def tilt(self) -> float | None:
        return None if self.varies else self.constant

    def start(self, given: Given) -> None:
        if self.constant != 0.0 or self.varies:
            check_classes(given)

    def inside(self, given: Given, y: Tensor, s: Tensor, w: float | Tensor, memory: None) -> Guided:
        if self.constant == 1.0:
            return self.outside(given, y, s)
        plain = given.plain(y, s)
        if self.constant == 0.0:
            return Guided(plain, plain)
        return Guided(blend(plain, given.conditional(y, s), w), plain)
