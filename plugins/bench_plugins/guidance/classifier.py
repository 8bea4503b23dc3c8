"""Classifier guidance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Given, Guided, Passes, paper, rows_of
from bench_plugins.guidance.classes import check_classes
from bench_plugins.guidance.papers import DHARIWAL2021
from bench_plugins.guidance.scale import ScaledGuidance


@dataclass(frozen=True)
class ClassifierGuidance(ScaledGuidance[None]):
    """D + w s^2 grad ln p(c | y; s), by a classifier of noised samples that the model brings.

    D is that of the model without class. One evaluation, and one vector-Jacobian product: the
    gradient of the classifier, its forward pass included, counts as one whatever its size. w = 0
    is the model without class, and there is none beyond the interval. With the classifier of the
    model itself, w = 1 is the conditional model and any w is `cfg`.

    Attributes:
        scale: w.
        schedule: shape(u) of w at flow time u = s / (1 + s): 1 (``constant``), 1 - u
            (``linear``), (1 + cos pi u) / 2 (``cosine``) or (1 - u)^power (``power``).
        power: the exponent of ``power``; 2 for all others.
        s_low, s_high: s between which there is guidance; ``None``: no upper end.
    """

    name: ClassVar[str] = "classifier"
    reference: ClassVar[str] = (
        "Dhariwal and Nichol 2021, arXiv:2105.05233, Algorithm 1; Song et al. 2021, "
        "arXiv:2011.13456, Eq. 14 with w = 1"
    )
    bibtex: ClassVar[str] = DHARIWAL2021 + paper("song2021score")
    classifies: ClassVar[bool] = True
    neutral: ClassVar[float] = 0.0

    @property
    def passes(self) -> Passes:
        return Passes(1, 0 if self.constant == 0.0 else 1)

    @property
    def tilt(self) -> float | None:
        return None if self.varies else self.constant

    def start(self, given: Given) -> None:
        if self.constant != 0.0:
            check_classes(given)
            _ = given.labels

    def inside(self, given: Given, y: Tensor, s: Tensor, w: float | Tensor, memory: None) -> Guided:
        if self.constant == 0.0:
            return self.outside(given, y, s)
        d = given.plain(y, s)
        log_prob, vjp = given.classifier.with_vjp(y, s)
        gradient = vjp(torch.ones_like(log_prob))
        return Guided(d + w * rows_of(s, y).square() * gradient, d)

    def outside(self, given: Given, y: Tensor, s: Tensor) -> Guided:
        d = given.plain(y, s)
        return Guided(d, d)
