"""RES, multistep, ancestral."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Exponential,
    HighestOrder,
    MultistepPredictor,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    paper,
    weighted_terms,
)
from bench_plugins.res.ancestral import Descent, require_noise
from bench_plugins.res.papers import ZHANG2023IMPROVED


@dataclass(frozen=True)
class ResMultistepAncestral(HighestOrder, MultistepPredictor):
    """``res_multistep`` from s_now down to s_down, then noise; one evaluation per step.

    An earlier value of D lies as far back as the flow of its step went, from s_before to that
    step's s_down, as in ComfyUI. At eta = 1 all these ways are twice the steps in lambda, and the
    method is the exponential Adams method of the reverse SDE: ``sa_solver`` without a corrector,
    and with two values ``dpmpp_2m_sde`` with ``heun``. The first step is Euler's.

    Attributes:
        highest: the most values of D that a step combines, 1 (``euler_a``) to 3.
        eta: share of the reverse SDE's noise, from 0 to 1.
        s_noise: factor of the fresh noise; other values than 1 change the distribution.
        lower_order_final: combine no more values than steps are left.
    """

    name: ClassVar[str] = "res_multistep_a"
    reference: ClassVar[str] = (
        "Zhang, Song and Chen 2023, arXiv:2308.02157; ComfyUI, sample_res_multistep_ancestral"
    )
    bibtex: ClassVar[str] = ZHANG2023IMPROVED + paper("crowson2022kdiffusion")

    most: ClassVar[int] = 3
    highest: int = 2
    eta: float = 1.0
    s_noise: float = 1.0
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_noise(self.eta, self.s_noise)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        down = Descent.of(now, then, self.eta)
        h, points = down.lam - now.lam, [now, *(e.time for e in past[1:])]
        ways = [Descent.of(b, a, self.eta).lam - b.lam for a, b in pairwise(points)]
        nodes = tuple(accumulate((-way for way in ways), initial=0.0))
        weights = adams_weights(nodes, 0.0, h, Exponential(1.0, h))
        terms = weighted_terms([then.alpha * w for w in weights], past)
        noise = then.alpha * self.s_noise * down.std, problem.normal()
        return combine((exp(-h) * then.alpha / now.alpha, x), *terms, noise)
