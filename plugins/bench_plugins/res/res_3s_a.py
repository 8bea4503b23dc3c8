"""RES, single step, order 3, ancestral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, paper
from bench_plugins.res.ancestral import Descent, require_noise
from bench_plugins.res.nodes import require_nodes
from bench_plugins.res.papers import HOCHBRUCK2005EXPLICIT, ZHANG2023IMPROVED
from bench_plugins.res.stages import at_alpha, three_stages


@dataclass(frozen=True)
class Res3SAncestral(Predictor[None]):
    """``res_3s`` from s_now down to s_down, then noise; weak order 3, three evaluations a step.

    The flow and the noise both carry marginals to marginals, so that the step has the order of
    the flow's solver, whatever eta is. With c3 = 2/3 it shows from some 200 steps; with the c2 =
    1/2 and c3 = 1 of ``res_3s`` higher terms hide it at eta = 1 until some 1000.

    Attributes:
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise; other values than 1 change the distribution.
        c2: where the second evaluation lies, as a share of the flow's way in lambda; not 2/3.
        c3: where the third evaluation lies.
    """

    name: ClassVar[str] = "res_3s_a"
    reference: ClassVar[str] = (
        "Zhang, Song and Chen 2023, arXiv:2308.02157; Crowson 2022, k-diffusion (ancestral step)"
    )
    bibtex: ClassVar[str] = (
        ZHANG2023IMPROVED + HOCHBRUCK2005EXPLICIT + paper("crowson2022kdiffusion")
    )
    order: ClassVar[int] = 3

    eta: float = 1.0
    s_noise: float = 1.0
    c2: float = 1 / 3
    c3: float = 2 / 3

    def __post_init__(self) -> None:
        require_noise(self.eta, self.s_noise)
        require_nodes(self.c2, self.c3)

    def cost(self, steps: int) -> int:
        return 3 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        down = Descent.of(now, then, self.eta)
        terms = three_stages(problem, x, now, down.lam, self.c2, self.c3)
        noise = self.s_noise * down.std, problem.normal()
        return combine(*at_alpha(then.alpha, [*terms, noise])), None
