"""DPM-Solver-23."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Problem
from bench_plugins.dpm.adaptive import AdaptiveDpm, eps_at, rows_like
from bench_plugins.dpm.papers import LU2022DPMSOLVER

R1, R2 = 1 / 3, 2 / 3


@dataclass(frozen=True)
class DpmAdaptive23(AdaptiveDpm):
    """DPM-Solver-23: adaptive steps, DPM-Solver-2 (r1 = 1/3) within DPM-Solver-3.

    Three evaluations for each attempt at a step. Each sample has its own steps.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: 0.156 rtol, the paper's proportion (0.0078 to 0.05).
        h_init: first step in lambda.
        theta: share of the step that the error would allow.
    """

    name: ClassVar[str] = "dpm_adaptive_23"
    reference: ClassVar[str] = "Lu et al. 2022, arXiv:2206.00927, Appendix C (DPM-Solver-23)"
    bibtex: ClassVar[str] = LU2022DPMSOLVER
    order: ClassVar[int] = 3

    def pair(self, problem: Problem, y: Tensor, now: Tensor, then: Tensor) -> tuple[Tensor, Tensor]:
        h = then - now
        s, s_1, s_2, s_then = ((-(now + r * h)).exp() for r in (0, R1, R2, 1))
        # s_r (e^(r h) - 1) = s - s_r weights eps; its rise weighs s_r ((e^(r h) - 1) / (r h) - 1).
        bend_2 = s_2 * (torch.expm1(R2 * h) / (R2 * h) - 1)
        bend = s_then * (torch.expm1(h) / h - 1)
        eps = eps_at(problem, y, now)
        rise_1 = eps_at(problem, y + rows_like(s_1 - s, y) * eps, now + R1 * h) - eps
        second = y + rows_like(s_2 - s, y) * eps - rows_like(bend_2 * R2 / R1, y) * rise_1
        rise_2 = eps_at(problem, second, now + R2 * h) - eps
        step, low_rise = rows_like(s_then - s, y), rows_like((s_then - s) / (2 * R1), y) * rise_1
        return y + step * eps + low_rise, -rows_like(bend / R2, y) * rise_2 - low_rise
