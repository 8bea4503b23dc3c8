"""Stochastic DDIM."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, require
from bench_plugins.ddim.papers import SONG2021DDIM


@dataclass(frozen=True)
class DDIMEta(Predictor[None]):
    """x_then = alpha_then D + (sigma_then^2 - std^2)^1/2 eps + std z; one evaluation per step.

    std = eta sigma_then (1 - (s_then / s_now)^2)^1/2, which is the paper's for every process.
    Weak order 1 at every eta: the steps follow the SDE whose noise is eta times that of the
    reverse SDE. At eta = 0 it is ``ddim``, at eta = 1 ``ancestral`` (DDPM), and in between
    k-diffusion's ``euler_a`` of the same eta. diffusers clips D to [-1, 1] by default;
    here D is what the model says.

    Attributes:
        eta: the noise, from none (0) to that of DDPM (1).
    """

    name: ClassVar[str] = "ddim_eta"
    reference: ClassVar[str] = "Song, Meng and Ermon 2020, arXiv:2010.02502, Eq. 12 and 16"
    bibtex: ClassVar[str] = SONG2021DDIM
    order: ClassVar[int] = 1
    renoises: ClassVar[bool] = True

    eta: float = 1.0

    def __post_init__(self) -> None:
        require(0 <= self.eta <= 1, "eta must lie in [0, 1]")

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        # A difference of s, which is exact where steps are small.
        fresh = self.eta**2 * (now.s - then.s) * (now.s + then.s) / now.s**2
        d, free = problem.split(x, now)
        if d is not free:  # the noise in x is that of the unguided D
            x = combine((1.0, x), (now.alpha, d), (-now.alpha, free))
        keep = then.sigma / now.sigma * sqrt(1 - fresh)
        terms = (keep, x), (then.alpha - keep * now.alpha, d)
        return combine(*terms, (then.sigma * sqrt(fresh), problem.normal())), None
