"""Autoguidance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guided, Passes
from bench_plugins.guidance.papers import KARRAS2024
from bench_plugins.guidance.scale import ScaledGuidance, blend


@dataclass(frozen=True)
class Autoguidance(ScaledGuidance[None]):
    """D_weak + w (D - D_weak), where the weaker model makes the model's errors, only larger.

    Both know the class where the model does, so that w > 1 takes away from errors and not from
    variety. Two evaluations a call, of which the weaker model's counts as much as the other's; one
    at w = 1, the model, and at w = 0, the weaker one.

    Attributes:
        scale: w.
        schedule: shape(u) of w - 1 at flow time u = s / (1 + s): 1 (``constant``), 1 - u
            (``linear``), (1 + cos pi u) / 2 (``cosine``) or (1 - u)^power (``power``).
        power: the exponent of ``power``; 2 for all others.
        s_low, s_high: s between which there is guidance; ``None``: no upper end.
    """

    name: ClassVar[str] = "autoguidance"
    reference: ClassVar[str] = "Karras et al. 2024, arXiv:2406.02507, Eq. 3 and Section 4"
    bibtex: ClassVar[str] = KARRAS2024

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.constant in (0.0, 1.0) else 2)

    @property
    def tilt(self) -> float | None:
        return 1.0

    def inside(self, given: Given, y: Tensor, s: Tensor, w: float | Tensor, memory: None) -> Guided:
        if self.constant == 1.0:
            return self.outside(given, y, s)
        weak = given.weak(y, s)
        if self.constant == 0.0:
            return Guided(weak, weak)
        own = given.usual(y, s)
        return Guided(blend(weak, own, w), own)

    def outside(self, given: Given, y: Tensor, s: Tensor) -> Guided:
        d = given.usual(y, s)
        return Guided(d, d)
