"""DPM-Solver-2 ancestral."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine, paper
from bench_plugins.k_diffusion.ancestral import AncestralStep


@dataclass(frozen=True)
class Dpm2Ancestral(AncestralStep):
    """DPM-Solver-2 from s_now down to s_down, then noise; weak order 2, two evaluations per step.

    The slope dy/ds = (y - D) / s is taken at s_mid = (s_now s_down)^1/2 and carried over the whole
    way: the midpoint rule with the middle of ln s. At eta = 1 s_mid is s_then.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise.
    """

    name: ClassVar[str] = "dpm2_a"
    reference: ClassVar[str] = "Crowson 2022, k-diffusion, sample_dpm_2_ancestral"
    bibtex: ClassVar[str] = paper("crowson2022kdiffusion")
    order: ClassVar[int] = 2

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        s_down, s_up = self._down_up(now, then)
        mid = problem.at_lam(-0.5 * log(now.s * s_down))
        half, d = mid.s / now.s, problem.denoise(x, now)
        x_mid = combine((half * mid.alpha / now.alpha, x), ((1 - half) * mid.alpha, d))
        d_mid = problem.denoise(x_mid, mid)
        # y + (s_down - s_now) (y_mid - d_mid) / s_mid, with y_mid written out
        gain = then.alpha * (now.s - s_down)
        return combine(
            (s_down / now.s * then.alpha / now.alpha, x),
            (gain * (1 / now.s - 1 / mid.s), d),
            (gain / mid.s, d_mid),
            (s_up * then.alpha, problem.normal()),
        ), None
