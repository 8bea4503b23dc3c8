"""ER-SDE-Solver-1, 2 and 3."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from bench.api import (
    HighestOrder,
    MultistepPredictor,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    weighted_terms,
)
from bench_plugins.er_sde.papers import CUI2025ELUCIDATING

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ErSde(HighestOrder, MultistepPredictor):
    """ER-SDE-Solver: a reverse SDE with the noise scale phi, D by its Taylor series in s.

    y_then = r y + sum_k I_k D^(k) + (s_then^2 - r^2 s_now^2)^1/2 z with r = phi_then / phi_now and
    I_k = phi_then int phi'(v) / phi(v)^2 (v - s_now)^k / k! dv from s_then to s_now. phi(v) =
    v q(v) with q = exp(v^0.3) + 10 is the authors' choice; phi = v^2 would be the reverse SDE,
    phi = v the ODE. I_k is found by quadrature in ln v, where the authors sum 100 points.

    The derivatives are the authors' divided differences: D' is one-sided also at order 3, so that
    a quadratic D is not integrated exactly. One evaluation per step; weak order 2 (1 with
    ``highest`` = 1), of ER-SDE-Solver-3 too. The first steps are of lower order.

    Attributes:
        highest: the solver's number, 1, 2 or 3: how many values of D the series takes.
    """

    name: ClassVar[str] = "er_sde"
    reference: ClassVar[str] = (
        "Cui et al. 2023, arXiv:2309.06169, ER-SDE-Solver-1 to 3; phi (SDE_5) of the authors' code"
    )
    bibtex: ClassVar[str] = CUI2025ELUCIDATING

    most: ClassVar[int] = 3
    highest: int = 3

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        ratio = _q(then.s) / _q(now.s)
        keep, std = then.s / now.s * ratio, then.s * sqrt((1 - ratio) * (1 + ratio))
        weights = _weights(then.s, [e.time.s for e in past], 1 - keep)
        terms = weighted_terms([then.alpha * w for w in weights], past)
        noise = then.alpha * std, problem.normal()
        return combine((keep * then.alpha / now.alpha, x), *terms, noise)


def _q(v: float) -> float:
    return exp(v**0.3) + 10


def _weights(s_then: float, levels: list[float], whole: float) -> list[float]:
    """Weights of the values of D at ``levels``, the newest first; they add up to ``whole``."""
    if len(levels) == 1:
        return [whole]
    now, before = levels[:2]
    rise = _integral(s_then, now, 1)
    if len(levels) == 2:
        slope = rise / (now - before)
        return [whole + slope, -slope]
    last = levels[2]
    bend = 2 * _integral(s_then, now, 2) / (now - last)  # D'' = 2 ([01] - [12]) / (now - last)
    slope, earlier = (rise + bend) / (now - before), bend / (before - last)
    return [whole + slope, -slope - earlier, earlier]


def _integral(s_then: float, s_now: float, k: int) -> float:
    """I_k, k = 1 or 2, by quadrature in u = ln v."""

    def density(u: Array) -> Array:
        v = np.exp(u)
        growth = np.exp(v**0.3)
        q = growth + 10
        scaled = (q + 0.3 * v**0.3 * growth) / (v * q * q)  # v phi' / phi^2
        terms: Array = s_then * _q(s_then) * scaled * (v - s_now) ** k / k  # k = k! for 1 and 2
        return terms

    return adams_weights((0.0,), log(s_then), log(s_now), density)[0]
