"""Euler's method in flow matching's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine
from bench_plugins.flow.papers import LIU2023FLOW
from bench_plugins.flow.velocity import flow_time, flow_velocity


@dataclass(frozen=True)
class FlowEuler(OdeSolver[None]):
    """z_then = z + (u_then - u) (eps - D) with z = x / (alpha + sigma); order 1, one evaluation.

    u = sigma / (alpha + sigma), so that every process becomes rectified flow, whose own u is t
    and z is x. The step is DDIM's, since eps and D stand still in both.
    """

    name: ClassVar[str] = "flow_euler"
    reference: ClassVar[str] = "Liu et al. 2022, arXiv:2209.03003, Section 2.1"
    bibtex: ClassVar[str] = LIU2023FLOW
    order: ClassVar[int] = 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        du = flow_time(then) - flow_time(now)
        scale = then.alpha + then.sigma
        keep = scale / (now.alpha + now.sigma)
        return combine((keep, x), (scale * du, flow_velocity(problem, x, now))), None
