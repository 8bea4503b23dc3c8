"""Euler ancestral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine, paper
from bench_plugins.k_diffusion.ancestral import AncestralStep


@dataclass(frozen=True)
class EulerAncestral(AncestralStep):
    """Euler's step in s down to s_down, then noise; weak order 1, one evaluation per step.

    At eta = 1 it is ancestral sampling and the exponential Euler method of the reverse SDE
    (SDE-DPM-Solver++-1, SEEDS-1), at eta = 0 DDIM. In normalised coordinates, so that it is the
    same under every process.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise.
    """

    name: ClassVar[str] = "euler_a"
    reference: ClassVar[str] = "Crowson 2022, k-diffusion, sample_euler_ancestral"
    bibtex: ClassVar[str] = paper("crowson2022kdiffusion")
    order: ClassVar[int] = 1
    renoises: ClassVar[bool] = True

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        s_down, s_up = self._down_up(now, then)
        d, free = problem.split(x, now)
        if d is not free:  # the noise in x is that of the unguided D
            x = combine((1.0, x), (now.alpha, d), (-now.alpha, free))
        keep = s_down / now.s
        terms = (keep * then.alpha / now.alpha, x), ((1 - keep) * then.alpha, d)
        return combine(*terms, (s_up * then.alpha, problem.normal())), None
