"""Deterministic DDIM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine
from bench_plugins.ddim.papers import SONG2021DDIM


@dataclass(frozen=True)
class DDIM(OdeSolver[None]):
    """x_then = alpha_then D + sigma_then eps (eta = 0); order 1, one evaluation per step.

    It is Euler's method in s, the exponential Euler method in lambda and DPM-Solver-1; under
    every process it gives the same result on the same s-grid.
    """

    name: ClassVar[str] = "ddim"
    reference: ClassVar[str] = "Song, Meng and Ermon 2020, arXiv:2010.02502, Eq. 12 with eta = 0"
    bibtex: ClassVar[str] = SONG2021DDIM
    order: ClassVar[int] = 1
    renoises: ClassVar[bool] = True

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        keep = then.sigma / now.sigma
        d, free = problem.split(x, now)
        if d is not free:  # the noise in x is that of the unguided D
            x = combine((1.0, x), (now.alpha, d), (-now.alpha, free))
        return combine((keep, x), (then.alpha - keep * now.alpha, d)), None
