"""Any scheduler of diffusers as a solver, as it is."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.api import BenchError, Predictor, Problem, Time, UnsupportedError
from bench_plugins.diffusers_schedulers.library import installed_version
from bench_plugins.diffusers_schedulers.nature import Nature, nature_of
from bench_plugins.diffusers_schedulers.papers import VONPLATEN2022DIFFUSERS
from bench_plugins.diffusers_schedulers.recipe import Recipe, Walk
from bench_plugins.diffusers_schedulers.trajectory import Trajectory, check_arguments

_TOO_MANY = 10**9
_GAP = 12
"""Numbers of steps that a scheduler may skip: Runge-Kutta steps at the start, say."""
_STEPS = (8, 4, 2, 1)
"""Tried in this order for what is asked of a scheduler before its number of steps is known."""


@dataclass(frozen=True)
class DiffusersScheduler(Recipe, Predictor[None]):
    """A scheduler of diffusers as it is: its own timesteps, its own steps, its own end.

    It runs on its own noise levels alone, those of the grid `diffusers` with the same parameters,
    and only from noise to data. Each of its timesteps costs one evaluation: of the denoiser at the
    level of the step (not at the timestep's number, which multistep schedulers round), handed on
    as the output that the scheduler's `prediction_type` names. Noise that it draws by torch.randn
    or from a Brownian tree is the samples' own. If it draws any, and if samples depend on their
    batch (it then runs by shards), is measured on a model that costs nothing.

    Most schedulers end in x_0: N inference steps are then N - 1 steps here and the last one, which
    takes the place of the core's final denoise. The others end at a level, from which the core
    denoises. What lies between its steps belongs to the scheduler: there are no correctors. Nothing
    more than order 1 is claimed.

    Attributes:
        arguments: further arguments of `step`, such as {eta: 1.0}.
        own_start: start from the scheduler's `init_noise_sigma` times standard noise, as the
            library's pipelines do; else from the protocol's s_max times that, which differs by
            sqrt(1 + 1/s^2) for most.
    """

    name: ClassVar[str] = "diffusers"
    reference: ClassVar[str] = "von Platen et al. 2022, github.com/huggingface/diffusers"
    bibtex: ClassVar[str] = VONPLATEN2022DIFFUSERS
    order: ClassVar[int] = 1
    whole: ClassVar[bool] = True
    imports: ClassVar[tuple[str, ...]] = ("diffusers",)

    arguments: dict[str, Any] | None = None
    own_start: bool = False

    def fingerprint(self) -> str:
        """As the grid's; arguments that `step` does not take are refused, at planning."""
        found = super().fingerprint()
        if installed_version():
            with contextlib.suppress(UnsupportedError):  # cells say so themselves
                check_arguments(self.make(), self.arguments or {})
        return found

    @property
    def finishes(self) -> bool:  # type: ignore[override]  # the configuration decides it
        """True if the scheduler ends in x_0; False where it does not run at all."""
        return self._steps > 0 and self.walk(self._steps).finishes

    @property
    def stochastic(self) -> bool:  # type: ignore[override]  # measured
        """True if samples depend on noise that it draws."""
        return self.nature.stochastic

    @property
    def batch_coupled(self) -> bool:  # type: ignore[override]  # measured
        """True if samples depend on each other."""
        return self.nature.coupled

    @property
    def nature(self) -> Nature:
        """Its behaviour on a model that costs nothing; nothing is known where it does not run."""
        try:
            return nature_of(self, self.arguments or {}, self._steps)
        except UnsupportedError:
            return Nature(draws=True, stochastic=True, coupled=False)

    @property
    def _steps(self) -> int:
        """A number of steps in which it runs; 0 where it does not."""
        for steps in _STEPS:
            try:
                self.walk(steps)
            except UnsupportedError:
                continue
            return steps
        return 0

    def cost(self, steps: int) -> int:
        """The number of timesteps, counted; of the next number of steps that it can take.

        Raises:
            UnsupportedError: it takes no steps at all.
        """
        for possible in range(steps, steps + _GAP):
            try:
                return len(self.walk(possible).asked)
            except UnsupportedError:
                continue
        if self._steps:
            return _TOO_MANY
        return len(self.walk(steps).asked)

    def note(self) -> str:
        end = "in x_0, by a step of its own" if self.finishes else "at its last noise level"
        noise = "it draws noise" if self.stochastic else "it is deterministic"
        coupled = "; its samples depend on their batch" if self.batch_coupled else ""
        name = self.scheduler or "the scheduler of config_file"
        return f"{name} of diffusers {installed_version()} ends {end}; {noise}{coupled}"

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        raise UnsupportedError(
            f"'{self.name}' runs a scheduler's whole way; nothing can act between its steps"
        )

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        """x_0, or x at ``times[-1]`` from ``x`` at ``times[0]``.

        Raises:
            UnsupportedError: another grid than its own, or the library refuses.
            BenchError: it draws what it may not.
        """
        end, draws = self.trace(problem, x, times)
        if draws and not self.nature.draws:
            raise BenchError(
                f"'{self.scheduler}' draws noise here, and none in {self._steps} steps on a free "
                "model; it would be taken for a deterministic one"
            )
        return end

    def trace(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> tuple[Tensor, list[str]]:
        """As `solve`, and the source of each draw, used or not."""
        walk = self.walk(len(times) - 1)
        _check_grid(self, walk, times)
        if walk.finishes != self.finishes:
            raise UnsupportedError(
                f"'{self.scheduler}' ends elsewhere in {len(times) - 1} steps than in "
                f"{self._steps}; no final denoise could be right for both"
            )
        way = Trajectory.prepare(self, self.arguments or {}, walk, x.device, times[0].s)
        end, draws = way.run(self._start(x, way, times), problem.model, problem.normal)
        if not walk.finishes:
            end = end / way.conventions.scale(walk.levels[-1]) * times[-1].alpha
        return end.to(x.dtype), draws

    def _start(self, x: Tensor, way: Trajectory, times: Sequence[Time]) -> Tensor:
        """The scheduler's first state from x at ``times[0]``."""
        if self.own_start:
            return x / times[0].sigma * float(way.scheduler.init_noise_sigma)
        first = way.walk.levels[0]
        if math.isinf(first):
            return x / times[0].sigma
        return x / times[0].alpha * way.conventions.scale(first)


def _check_grid(solver: DiffusersScheduler, walk: Walk, times: Sequence[Time]) -> None:
    own = (times[0].s if math.isinf(walk.levels[0]) else walk.levels[0], *walk.levels[1:])
    if all(math.isclose(s, time.s, rel_tol=1e-6) for s, time in zip(own, times, strict=True)):
        return
    given = {"name": "diffusers", "scheduler": solver.scheduler}
    for key in ("config", "config_file", "schedule"):
        if getattr(solver, key):
            given[key] = getattr(solver, key)
    wanted = ", ".join(f"{key}: {value}" for key, value in given.items())
    raise UnsupportedError(
        f"'{solver.name}' runs on its scheduler's own noise levels alone, from noise to data: give "
        f"it `grids: [{{{wanted}}}]`"
    )
