"""Schedulers of diffusers under test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import NoiseProcess, Problem, Sampler, Time, UnsupportedError
from bench.testing import process_of
from bench.testing.order import convergence_slope
from bench.testing.weak_order import Gaussian, propagated_moments
from bench_check.names import scheduler_order, scheduler_own
from bench_check.subject import Subject, Trace
from bench_plugins.diffusers_schedulers.library import keywords
from bench_plugins.diffusers_schedulers.solver import DiffusersScheduler

_NOISE_ALONE = 1e5
_WEAK_STEPS = (40, 80, 160)
_EXACT = 1e-5
_KARRAS = "use_karras_sigmas"


@dataclass(frozen=True)
class SchedulerSubject(Subject):
    """A scheduler on its own noise levels.

    Attributes:
        solver: the plugin of the scheduler.
        process: the noise process, which changes nothing for it.
    """

    order_steps: ClassVar[tuple[int, ...]] = (16, 24, 32, 48, 64, 96, 128)
    floor: ClassVar[float] = 1e-5  # schedulers compute in float32
    reach: ClassVar[float] = 1.0

    solver: DiffusersScheduler
    process: NoiseProcess = field(default_factory=lambda: process_of("edm"))

    @property
    def setting(self) -> str:
        first, *_, last = self.times(8)
        levels = "Karras et al.'s levels" if self._even else "its own noise levels"
        return f"on {levels}, from s = {first.s:.4g} to {last.s:.2g} in 8 steps"

    @property
    def finishes(self) -> bool:
        return self.solver.finishes

    @property
    def stochastic(self) -> bool:
        return self.solver.stochastic

    @property
    def claimed_order(self) -> int | None:
        """Its `solver_order`, or that of its method; of moments at most the second."""
        order = scheduler_order(self.solver.make(), self.stochastic)
        return min(order, 2) if order and self.stochastic else order

    @property
    def slack(self) -> float:
        """More where levels are rounded to a table's, and where they are not even."""
        return 0.1 if self._even else 0.35

    @property
    def _even(self) -> bool:
        return bool((self.solver.config or {}).get(_KARRAS)) or "EDM" in self.solver.scheduler

    def for_order(self) -> Subject:
        """On Karras et al.'s levels, where the scheduler has them and nothing else was said."""
        config = dict(self.solver.config or {})
        chosen = any(key.startswith("use_") and key.endswith("_sigmas") for key in config)
        if chosen or _KARRAS not in keywords(type(self.solver.make()).__init__):
            return self
        return replace(self, solver=replace(self.solver, config={**config, _KARRAS: True}))

    def cost(self, steps: int) -> int:
        return self.solver.cost(steps)

    def times(self, steps: int) -> tuple[Time, ...]:
        levels = self.solver.walk(steps).levels
        return tuple(self.process.at_s(_NOISE_ALONE if math.isinf(s) else s) for s in levels)

    def path(self, steps: int) -> tuple[Time, ...]:
        return self.times(steps)

    def run(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Trace:
        levels = list[float]()

        def model(y: Tensor, s: Tensor) -> Tensor:
            levels.append(float(s))
            return problem.model(y, s)

        given = x.clone()
        counted = Problem(problem.process, model, problem.noise)
        end, draws = self.solver.trace(counted, x, times)
        y = end if self.finishes else end / times[-1].alpha
        return Trace(y, levels, draws, torch.equal(x, given))

    def weak_order(self) -> float:
        """Of mean and variance at its end, where a denoise of the exact marginal is exact."""
        found = [self._moment_errors(steps) for steps in _WEAK_STEPS]
        # Of both, the one of which errors are far from the float32's.
        largest = max(max(pair) for pair in found)
        columns = [column for column in zip(*found, strict=True) if max(column) > largest / 50]
        if largest < _EXACT:
            raise UnsupportedError("it is exact on a Gaussian")
        return min(convergence_slope(_WEAK_STEPS, column) for column in columns)

    def own(self) -> tuple[str, dict[str, Any]]:
        return scheduler_own(self.solver.make(), dict(self.solver.arguments or {}))

    def _moment_errors(self, steps: int) -> tuple[float, float]:
        data, times = Gaussian(), self.times(steps)
        sampler = Sampler(self.solver, finish=False)
        mean, variance = propagated_moments(self.process, sampler, times, data)
        right, spread = data.marginal(times[-1])
        if self.finishes:
            right, spread = data.mean, data.variance**2 / spread
        return abs(mean - right), abs(variance - spread)
