"""Adaptive projected guidance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Given, Guided, Passes, require, rows_of
from bench_plugins.guidance.classes import check_classes
from bench_plugins.guidance.papers import SADAT2025
from bench_plugins.guidance.scale import ScaledGuidance

_TINY = 1e-24
"""Squared length below which a direction is none."""


@dataclass
class Momentum:
    """The sum of the differences so far, each weighted by momentum^age."""

    total: Tensor | None = None

    def add(self, difference: Tensor, momentum: float) -> Tensor:
        """The sum with ``difference`` as its newest term."""
        total = difference if self.total is None else difference.add(self.total, alpha=momentum)
        self.total = total
        return total


@dataclass(frozen=True)
class AdaptiveProjected(ScaledGuidance[Momentum | None]):
    """D_c + (w - 1) (delta_orthogonal + parallel delta_parallel), delta = D_c - D.

    delta is first added to its own past (a reverse momentum is negative), then shortened to at
    most ``norm``, then split along D_c of each sample. Two evaluations a call. With parallel = 1,
    momentum = 0 and no norm it is `cfg`. The momentum counts calls, so that it is another method
    under solvers with several a step, and goes with no solver that takes steps of its own for each
    sample.

    Attributes:
        scale: w.
        schedule: shape(u) of w - 1 at flow time u = s / (1 + s): 1 (``constant``), 1 - u
            (``linear``), (1 + cos pi u) / 2 (``cosine``) or (1 - u)^power (``power``).
        power: the exponent of ``power``; 2 for all others.
        s_low, s_high: s between which there is guidance; ``None``: no upper end.
        parallel: weight of the part along D_c; eta in the paper.
        norm: highest length of delta, in units of x_0; r in the paper. ``None``: any.
        momentum: in (-1, 1); beta in the paper.
    """

    name: ClassVar[str] = "apg"
    reference: ClassVar[str] = "Sadat et al. 2025, arXiv:2410.02416, Algorithm 1"
    bibtex: ClassVar[str] = SADAT2025

    parallel: float = 0.0
    norm: float | None = None
    momentum: float = -0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require(math.isfinite(self.parallel), "parallel must be a finite number")
        require(self.norm is None or 0 < self.norm < math.inf, "norm must be > 0")
        require(-1 < self.momentum < 1, "momentum must lie between -1 and 1")

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.constant == 1.0 else 2)

    @property
    def tilt(self) -> float | None:
        return None if self.varies else self.constant

    def start(self, given: Given) -> Momentum | None:
        check_classes(given)
        return Momentum() if self.momentum and self.constant != 1.0 else None

    def inside(
        self, given: Given, y: Tensor, s: Tensor, w: float | Tensor, memory: Momentum | None
    ) -> Guided:
        if self.constant == 1.0:
            return self.outside(given, y, s)
        plain, own = given.plain(y, s), given.conditional(y, s)
        delta = own - plain
        if memory is not None:
            delta = memory.add(delta, self.momentum)
        if self.norm is not None:
            length = _dot(delta, delta).sqrt().clamp_min(self.norm)
            delta = delta * rows_of(self.norm / length, y)
        along = own * rows_of(_dot(delta, own) / _dot(own, own).clamp_min(_TINY), y)
        kept = torch.lerp(delta - along, delta, self.parallel)
        return Guided(own + (w - 1) * kept, plain)


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Scalar product of each row, (n,)."""
    return (one * other).flatten(1).sum(1)
