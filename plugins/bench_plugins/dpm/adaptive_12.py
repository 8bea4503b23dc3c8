"""DPM-Solver-12."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem
from bench_plugins.dpm.adaptive import AdaptiveDpm, eps_at, rows_like
from bench_plugins.dpm.papers import LU2022DPMSOLVER

R1 = 0.5


@dataclass(frozen=True)
class DpmAdaptive12(AdaptiveDpm):
    """DPM-Solver-12: adaptive steps, DPM-Solver-1 (DDIM) within DPM-Solver-2.

    Two evaluations for each attempt at a step. Each sample has its own steps.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: 0.156 rtol, the paper's proportion (0.0078 to 0.05).
        h_init: first step in lambda.
        theta: share of the step that the error would allow.
    """

    name: ClassVar[str] = "dpm_adaptive_12"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2206.00927, Appendix C (DPM-Solver-12)"
    bibtex: ClassVar[str] = LU2022DPMSOLVER
    order: ClassVar[int] = 2

    def pair(self, problem: Problem, y: Tensor, now: Tensor, then: Tensor) -> tuple[Tensor, Tensor]:
        middle = now + R1 * (then - now)
        s, s_1, s_then = (-now).exp(), (-middle).exp(), (-then).exp()
        eps = eps_at(problem, y, now)
        rise = eps_at(problem, y + rows_like(s_1 - s, y) * eps, middle) - eps
        step = rows_like(s_then - s, y)
        return y + step * eps, step * rise / (2 * R1)
