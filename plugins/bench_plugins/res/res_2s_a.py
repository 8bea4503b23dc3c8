"""RES, single step, order 2, ancestral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, paper, require
from bench_plugins.res.ancestral import Descent, require_noise
from bench_plugins.res.papers import HOCHBRUCK2005EXPLICIT, ZHANG2023IMPROVED
from bench_plugins.res.stages import at_alpha, two_stages


@dataclass(frozen=True)
class Res2SAncestral(Predictor[None]):
    """``res_2s`` from s_now down to s_down, then noise; weak order 2, two evaluations a step.

    The step is k-diffusion's ancestral one. With noise in its stages instead, the method is
    ``seeds_2`` with ``phi_2``.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise; other values than 1 change the distribution.
        c2: where the second evaluation lies, as a share of the flow's way in lambda.
    """

    name: ClassVar[str] = "res_2s_a"
    reference: ClassVar[str] = (
        "Zhang, Song and Chen 2023, arXiv:2308.02157; Crowson 2022, k-diffusion (ancestral step)"
    )
    bibtex: ClassVar[str] = (
        ZHANG2023IMPROVED + HOCHBRUCK2005EXPLICIT + paper("crowson2022kdiffusion")
    )
    order: ClassVar[int] = 2

    eta: float = 1.0
    s_noise: float = 1.0
    c2: float = 0.5

    def __post_init__(self) -> None:
        require_noise(self.eta, self.s_noise)
        require(0 < self.c2 <= 1, "c2 must lie in (0, 1]")

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        down = Descent.of(now, then, self.eta)
        terms = two_stages(problem, x, now, down.lam, self.c2)
        noise = self.s_noise * down.std, problem.normal()
        return combine(*at_alpha(then.alpha, [*terms, noise])), None
