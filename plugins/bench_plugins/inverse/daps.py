"""DAPS: solve the ODE, sample x_0 given the observation, add noise again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from bench.api import (
    Observation,
    Predictor,
    Problem,
    Time,
    UnsupportedError,
    combine,
    karras_times,
    require,
)
from bench_plugins.inverse.observed import Seen
from bench_plugins.inverse.papers import ZHANG2025DAPS


class Ends(NamedTuple):
    """The largest and the smallest noise-to-signal ratio of the grid."""

    high: float
    low: float


@dataclass(frozen=True)
class Daps(Predictor[Ends]):
    """x_0 ~ N(x_0 | E, r^2 I) p(y | x_0), then x_then = alpha_then x_0 + sigma_then z.

    E is the end of the probability-flow ODE from x_now, by ``ode_steps`` of Euler's steps in s on a
    Karras grid: as many evaluations a step. r = ``spread`` s. x_0 is drawn in closed form, which
    needs a linear operator, or by Langevin steps, which need noise in the observation and are
    biased or unstable where ``step_size`` is not small against r^2 and (noise / v)^2.
    Each step forgets the state but for E, so that more steps lead to no limit: order 0.

    Attributes:
        ode_steps: k, evaluations of each step.
        spread: r / s.
        langevin_steps: number of Langevin steps; ``None``: the closed form.
        step_size: eta_0, the Langevin step at the first step of the grid.
        decay: delta; the Langevin step is eta_0 (delta + (1 - delta) s / s_max). The authors' code
            lets it fall with the number of the step in place of s, which keeps it long for longer.
    """

    name: ClassVar[str] = "daps"
    reference: ClassVar[str] = "Zhang et al. 2025, arXiv:2407.01521, Proposition 1, Algorithm 1"
    bibtex: ClassVar[str] = ZHANG2025DAPS
    order: ClassVar[int] = 0
    observes: ClassVar[bool] = True

    ode_steps: int = 5
    spread: float = 1.0
    langevin_steps: int | None = None
    step_size: float = 1e-4
    decay: float = 0.01

    def __post_init__(self) -> None:
        require(self.ode_steps >= 1, "ode_steps must be >= 1")
        require(self.spread > 0, "spread must be > 0")
        require(
            self.langevin_steps is None or self.langevin_steps >= 1, "langevin_steps must be >= 1"
        )
        require(self.step_size > 0, "step_size must be > 0")
        require(0 < self.decay <= 1, "decay must lie in (0, 1]")

    def cost(self, steps: int) -> int:
        return self.ode_steps * steps

    def start(self, times: Sequence[Time]) -> Ends:
        return Ends(times[0].s, times[-1].s)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Ends
    ) -> tuple[Tensor, Ends]:
        center, r = self._solve(problem, x, now, state.low), self.spread * now.s
        if self.langevin_steps is None:
            x_0 = _exact(problem.observation, center, r, problem.normal())
        else:
            size = self.step_size * (self.decay + (1 - self.decay) * now.s / state.high)
            x_0 = self._langevin(problem, center, r, size)
        return combine((then.alpha, x_0), (then.sigma, problem.normal())), state

    def _solve(self, problem: Problem, x: Tensor, now: Time, low: float) -> Tensor:
        """The end of the ODE, (n, *shape)."""
        path: tuple[Time, ...] = (now,)
        if self.ode_steps > 1:
            path = (now, *karras_times(problem.process, self.ode_steps - 1, low, now.s)[1:])
        for upper, lower in pairwise(path):
            keep = lower.sigma / upper.sigma
            d = problem.denoise(x, upper)
            x = combine((keep, x), (lower.alpha - keep * upper.alpha, d))
        return problem.denoise(x, path[-1])

    def _langevin(self, problem: Problem, center: Tensor, r: float, size: float) -> Tensor:
        seen, x = problem.observation, center
        if seen.noise == 0:
            raise UnsupportedError(
                "Langevin steps need an observation with noise; give the task some"
            )
        pull = size / r**2
        if pull > 1:
            raise UnsupportedError(
                f"Langevin steps of {size:.2g} are unstable where r^2 is {r**2:.2g}; lower "
                "step_size or decay, or raise s_min"
            )
        for _ in range(self.langevin_steps or 0):
            slope = _misfit_gradient(seen, x)
            x = combine(
                (1 - pull, x),
                (pull, center),
                (-size / (2 * seen.noise**2), slope),
                ((2 * size) ** 0.5, problem.normal()),
            )
        return x


def _exact(observation: Observation, center: Tensor, r: float, noise: Tensor) -> Tensor:
    """A draw of x_0 ~ N(center, r^2 I) given y, in the singular basis."""
    seen = Seen.of(observation)
    own, z = seen.operator.coefficients(center), seen.operator.coefficients(noise)
    share = seen.level / (r**2 + seen.level.square()).sqrt()  # std = r level / (r^2 + level^2)^1/2
    drawn = seen.known.lerp(own, share.square()) + r * share * z
    return seen.put(torch.add(center, noise, alpha=r), drawn)


def _misfit_gradient(observation: Observation, x: Tensor) -> Tensor:
    """The gradient of ||y - A(x)||^2, shape of ``x``."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(observation.misfit(leaf).sum(), leaf)
    return gradient
