"""DPM-Solver++(2S) ancestral."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine, paper
from bench_plugins.k_diffusion.ancestral import AncestralStep


@dataclass(frozen=True)
class DpmPP2SAncestral(AncestralStep):
    """DPM-Solver++(2S) from s_now down to s_down, then noise; weak order 2, two evaluations a step.

    D of the middle of the way in lambda, s_mid = (s_now s_down)^1/2, is held over the whole way.
    At eta = 1 s_mid is s_then.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise.
    """

    name: ClassVar[str] = "dpmpp_2s_a"
    reference: ClassVar[str] = (
        "Crowson 2022, k-diffusion, sample_dpmpp_2s_ancestral; "
        "Lu et al. 2022, arXiv:2211.01095, Algorithm 1"
    )
    bibtex: ClassVar[str] = paper("lu2022dpmsolverpp") + paper("crowson2022kdiffusion")
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
        keep, d_mid = s_down / now.s, problem.denoise(x_mid, mid)
        terms = (keep * then.alpha / now.alpha, x), ((1 - keep) * then.alpha, d_mid)
        return combine(*terms, (s_up * then.alpha, problem.normal())), None
