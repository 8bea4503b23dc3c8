"""CFG-Zero*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guided, Passes, require, rows_of
from bench_plugins.guidance.classes import check_classes
from bench_plugins.guidance.papers import FAN2025
from bench_plugins.guidance.scale import ScaledGuidance, choose


@dataclass(frozen=True)
class ZeroStar(ScaledGuidance[None]):
    """Guidance of velocities with a fitted scale, and none of any velocity in the beginning.

    In the coordinates of rectified flow, u = s / (1 + s) and x_u = y / (1 + s), the velocity is
    v = eps - D = (y - (1 + s) D) / s. Guided it is a v + w (v_c - a v) with a = <v_c, v> / |v|^2 of
    each sample, and zero where u > 1 - zero: D is x_u there, at no evaluation. The paper sets the
    velocity of the first steps to zero; noise levels decide here, so that it is the same ODE for
    every solver and grid. Two evaluations a call elsewhere, one at w = 1.

    Attributes:
        scale: w.
        schedule: shape(u) of w - 1: 1 (``constant``), 1 - u (``linear``), (1 + cos pi u) / 2
            (``cosine``) or (1 - u)^power (``power``).
        power: the exponent of ``power``; 2 for all others.
        s_low, s_high: s between which there is guidance; ``None``: no upper end.
        zero: share of the flow time without velocity, in [0, 0.5].
    """

    name: ClassVar[str] = "cfg_zero_star"
    reference: ClassVar[str] = "Fan et al. 2025, arXiv:2503.18886 (optimized scale and zero-init)"
    bibtex: ClassVar[str] = FAN2025

    zero: float = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.zero <= 0.5, "zero must lie in [0, 0.5]")

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.constant == 1.0 else 2)

    @property
    def tilt(self) -> float | None:
        return None if self.s_low or self.s_high is not None else self.constant

    @property
    def varies(self) -> bool:
        return self.zero > 0 or super().varies

    def passes_at(self, s: float) -> Passes:
        return Passes(0) if self.zero and s > self._highest else super().passes_at(s)

    def start(self, given: Given) -> None:
        check_classes(given)

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        if not self.zero:
            return super().guide(given, y, s, memory)

        def moving(own: Given, y: Tensor, s: Tensor) -> Guided:
            return ScaledGuidance.guide(self, own, y, s, memory)

        return choose(s > self._highest, _rest, moving, given, y, s)

    def inside(self, given: Given, y: Tensor, s: Tensor, w: float | Tensor, memory: None) -> Guided:
        if self.constant == 1.0:
            return self.outside(given, y, s)
        plain, own = given.plain(y, s), given.conditional(y, s)
        level = rows_of(s, y)
        one, two = ((y - (1 + level) * d) / level for d in (plain, own))
        dots = [(one * v).flatten(1).sum(1) for v in (two, one)]
        fitted = one * rows_of(dots[0] / (dots[1] + 1e-8), y)
        velocity = fitted + w * (two - fitted)
        return Guided((y - level * velocity) / (1 + level), plain)

    @property
    def _highest(self) -> float:
        """The noise-to-signal ratio above which there is no velocity; rounded up a little."""
        return (1 - self.zero) / self.zero * (1 + 1e-6)


def _rest(given: Given, y: Tensor, s: Tensor) -> Guided:
    """D of no velocity."""
    d = y / (1 + rows_of(s, y))
    return Guided(d, d)
