"""Heun's method in flow matching's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine
from bench_plugins.flow.papers import LIPMAN2023FLOW
from bench_plugins.flow.velocity import flow_time, flow_velocity


@dataclass(frozen=True)
class FlowHeun(OdeSolver[None]):
    """z_then = z + (u_then - u) (v + v') / 2, v' after Euler's step; order 2, two evaluations.

    The coordinates are those of ``flow_euler``, v = eps - D. Under rectified flow it is Heun's
    method in t; its steps differ from those of ``edm_heun``, which is Heun's in s.
    """

    name: ClassVar[str] = "flow_heun"
    reference: ClassVar[str] = "Lipman et al. 2022, arXiv:2210.02747; diffusers' flow-match Heun"
    bibtex: ClassVar[str] = LIPMAN2023FLOW
    order: ClassVar[int] = 2

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        du = flow_time(then) - flow_time(now)
        scale = then.alpha + then.sigma
        keep = scale / (now.alpha + now.sigma)
        v = flow_velocity(problem, x, now)
        v_then = flow_velocity(problem, combine((keep, x), (scale * du, v)), then)
        half = 0.5 * scale * du
        return combine((keep, x), (half, v), (half, v_then)), None
