"""A-FloPS: an exponential integrator in flow time with a measured linear part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, require
from bench_plugins.flow.papers import JIN2025AFLOPS
from bench_plugins.flow.velocity import flow_time, flow_velocity


@dataclass(frozen=True, eq=False)
class LastVelocity:
    """The evaluation before: flow time, z = x / (alpha + sigma), and dz/du."""

    u: float
    z: Tensor
    v: Tensor


@dataclass(frozen=True)
class AFlops(OdeSolver[LastVelocity | None]):
    """Adaptive flow path sampler: dz/du = c z + w, the part in z exactly and w extrapolated.

    u = sigma / (alpha + sigma), z = x / (alpha + sigma), so that every process becomes flow
    matching. c = <v - v', z - z'> / (|z - z'|^2 + 1e-8) of the last two evaluations is each
    sample's own: with it w = v - c z changes least between them. The step is z e^q + h phi_1(q) w +
    h^2 phi_2(q) (w - w') / (u - u') with q = c h. One evaluation per step; the first is Euler's.
    With c = 0 it is Adams-Bashforth of two values in u.

    c says nothing where z stands still for a step while v does not. Without its limit samples on
    the line left every bound below 80 steps.

    Attributes:
        limit: c lies in [-limit, limit]; the paper's 1. The authors' code for flow models has no
            limit, as 1e9 has none.
    """

    name: ClassVar[str] = "aflops"
    reference: ClassVar[str] = "Jin et al. 2025, arXiv:2509.00036, Algorithm 2, Eqs. 12-16"
    bibtex: ClassVar[str] = JIN2025AFLOPS
    order: ClassVar[int] = 2

    limit: float = 1.0

    def __post_init__(self) -> None:
        require(self.limit >= 0, "limit must be >= 0")

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: LastVelocity | None
    ) -> tuple[Tensor, LastVelocity | None]:
        u, h = flow_time(now), flow_time(then) - flow_time(now)
        z, v = x / (now.alpha + now.sigma), flow_velocity(problem, x, now)
        end = combine((1.0, z), (h, v)) if state is None else self._advance(z, v, u, h, state)
        return end * (then.alpha + then.sigma), LastVelocity(u, z, v)

    def _advance(self, z: Tensor, v: Tensor, u: float, h: float, last: LastVelocity) -> Tensor:
        """z at u + h from z at u."""
        moved, changed = (z - last.z).flatten(1), (v - last.v).flatten(1)
        c = (moved * changed).sum(1) / (moved.square().sum(1) + 1e-8)
        c = c.clamp(-self.limit, self.limit)
        c = c.view(-1, *(1,) * (z.ndim - 1))
        first, second = phi(c * h)
        slope = (v - last.v - c * (z - last.z)) / (u - last.u)
        # z e^q + h phi_1 (v - c z) is z + h phi_1 v.
        return z + h * first * v + h * h * second * slope


def phi(q: Tensor) -> tuple[Tensor, Tensor]:
    """(e^q - 1) / q and (e^q - 1 - q) / q^2, by their series where the quotient cancels."""
    small = q.abs() < 0.5
    safe = torch.where(small, torch.ones_like(q), q)
    series = torch.zeros_like(q)
    for k in range(14, 1, -1):  # 1/2 + q/6 + q^2/24 + ..; less than 1e-16 is left
        series = (1 + series * q) / k
    second = torch.where(small, series, (torch.expm1(safe) - safe) / safe.square())
    return 1 + q * second, second
