"""Ancestral Euler steps in flow matching's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, require
from bench_plugins.flow.papers import LIU2023FLOW
from bench_plugins.flow.velocity import flow_time


@dataclass(frozen=True)
class FlowAncestral(Predictor[None]):
    """Euler's step of ``flow_euler`` down to u_down, then noise up to u_then; weak order 1.

    u_down = u_then (1 - eta (1 - u_then / u_now)) in rectified flow's time u = sigma / (alpha +
    sigma). The state is scaled by (1 - u_then) / (1 - u_down), and the noise makes up for what is
    then missing of u_then. One evaluation per step. ``euler_a`` goes down to another level: in u it
    takes more noise away at large noise, and less at small.

    Attributes:
        eta: how much further than u_then the step goes, from 0 (the ODE) to 1.
        s_noise: factor of the fresh noise; other values than 1 change the distribution.
    """

    name: ClassVar[str] = "flow_ancestral"
    reference: ClassVar[str] = (
        "Liu et al. 2022, arXiv:2209.03003; ComfyUI, sample_euler_ancestral_RF (the step)"
    )
    bibtex: ClassVar[str] = LIU2023FLOW
    order: ClassVar[int] = 1

    eta: float = 1.0
    s_noise: float = 1.0

    def __post_init__(self) -> None:
        require(0 <= self.eta <= 1, "eta must be in [0, 1]")
        require(self.s_noise >= 0, "s_noise must be >= 0")

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        u, u_then = flow_time(now), flow_time(then)
        below = self.eta * u_then * (1 - u_then / u)
        u_down = u_then - below
        s_down = u_down / (1 - u_down)
        # s_then - s_down without cancellation: at eta = 0 there is no noise to the last bit.
        fresh = sqrt(below / ((1 - u_then) * (1 - u_down)) * (then.s + s_down))
        keep = s_down / now.s
        return combine(
            (then.alpha * keep / now.alpha, x),
            (then.alpha * (1 - keep), problem.denoise(x, now)),
            (then.alpha * self.s_noise * fresh, problem.normal()),
        ), None
