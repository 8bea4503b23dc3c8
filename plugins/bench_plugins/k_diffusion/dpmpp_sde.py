"""DPM-Solver++ SDE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine, paper, require
from bench_plugins.k_diffusion.ancestral import AncestralStep


@dataclass(frozen=True)
class DpmPPSde(AncestralStep):
    """DPM-Solver++(2S) with noise in both stages; weak order 2, two evaluations and draws a step.

    Both stages are ancestral steps from s_now. Their noises belong to one Brownian path: with
    dy = 2 (D - y) dlambda + sqrt(2) s dw (eta = 1) the middle's noise N_mid decays on its way by
    q^2, q = s_then / s_mid, so that the whole step's is q^2 N_mid + s_then (1 - q^2)^1/2 z. Its
    variance is s_then^2 (1 - r^2), the ancestral step's; another eta scales both noises by eta
    and leaves their correlation. k-diffusion's Brownian tree runs in sigma instead of the SDE's own
    time: its correlation of the two noises differs by a term of the order of the step.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the noise.
        r: place of the middle stage in lambda, between 0 and 1.
    """

    name: ClassVar[str] = "dpmpp_sde"
    reference: ClassVar[str] = "Crowson 2022, k-diffusion, sample_dpmpp_sde"
    bibtex: ClassVar[str] = paper("crowson2022kdiffusion")
    order: ClassVar[int] = 2

    r: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.r < 1, "r must be between 0 and 1")

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        mid = problem.at_lam(now.lam + self.r * (then.lam - now.lam))
        d, z = problem.denoise(x, now), problem.normal()
        s_down, up_mid = self._down_up(now, mid)
        keep = s_down / now.s
        terms = (keep * mid.alpha / now.alpha, x), ((1 - keep) * mid.alpha, d)
        d_mid = problem.denoise(combine(*terms, (up_mid * mid.alpha, z)), mid)

        s_down, _ = self._down_up(now, then)
        _, up_rest = self._down_up(mid, then)
        keep, weight = s_down / now.s, 0.5 / self.r
        return combine(
            (keep * then.alpha / now.alpha, x),
            ((1 - keep) * (1 - weight) * then.alpha, d),
            ((1 - keep) * weight * then.alpha, d_mid),
            ((then.s / mid.s) ** 2 * up_mid * then.alpha, z),
            (up_rest * then.alpha, problem.normal()),
        ), None
