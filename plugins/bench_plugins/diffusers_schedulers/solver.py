"""Any scheduler of diffusers as a solver, as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    OdeSolver,
    Predictor,
    Problem,
    Stepper,
    Time,
    UnsupportedError,
)
from bench_plugins.diffusers_schedulers.library import explain_errors, keywords
from bench_plugins.diffusers_schedulers.noise import OwnNoise, OwnPath
from bench_plugins.diffusers_schedulers.papers import VONPLATEN2022DIFFUSERS
from bench_plugins.diffusers_schedulers.predictions import conventions_of
from bench_plugins.diffusers_schedulers.recipe import Recipe, Walk

_HOSTS = frozenset(
    {"model_output", "timestep", "sample", "generator", "return_dict", "prev_timestep"}
)
_TOO_MANY = 10**9


@dataclass(frozen=True)
class _Scheduler(Recipe, Stepper[None]):
    """A scheduler of diffusers as it is: its own timesteps, its own steps, its own end.

    It runs on its own noise levels alone, those of the grid `diffusers` with the same parameters.
    Each of its timesteps costs one evaluation: of the denoiser at the level of the step (not at
    the timestep's number, which multistep schedulers round), handed on as the output that the
    scheduler's `prediction_type` names.

    Most schedulers end in x_0: N inference steps are then N - 1 steps here and the last one, which
    takes the place of the core's final denoise. The others end at a level, from which the core
    denoises. What lies between its steps belongs to the scheduler: there are no correctors.

    Attributes:
        arguments: further arguments of `step`, such as {eta: 1.0}.
        own_start: start from the scheduler's `init_noise_sigma` times standard noise, as the
            library's pipelines do; else from the protocol's s_max times that, which differs by
            sqrt(1 + 1/s^2) for most.
    """

    reference: ClassVar[str] = "von Platen et al. 2022, github.com/huggingface/diffusers"
    bibtex: ClassVar[str] = VONPLATEN2022DIFFUSERS
    whole: ClassVar[bool] = True
    imports: ClassVar[tuple[str, ...]] = ("diffusers",)

    arguments: dict[str, Any] | None = None
    own_start: bool = False

    @property
    def order(self) -> int:
        """The first: nothing more is claimed for a scheduler than that it converges."""
        return 1

    @property
    def finishes(self) -> bool:  # type: ignore[override]  # the configuration decides it
        """True if the scheduler ends in x_0; as far as it can be asked."""
        try:
            return self.walk(8).finishes
        except UnsupportedError:
            return False

    def cost(self, steps: int) -> int:
        """The number of timesteps, counted."""
        try:
            return len(self.walk(steps).asked)
        except UnsupportedError:
            if steps > 1:
                return _TOO_MANY
            raise

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        raise UnsupportedError(
            f"'{self.name}' runs a scheduler's whole way; nothing can act between its steps"
        )

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        walk = self.walk(len(times) - 1)
        _check_grid(self, walk, times)
        scheduler = self.prepare(walk.inference_steps, x.device)
        end = _Trajectory(self, problem, scheduler, times[0].s).run(
            self._start(x, scheduler, times), walk
        )
        if walk.finishes:
            return end.to(x.dtype)
        scale = conventions_of(self.dialect(scheduler), scheduler).scale(walk.levels[-1])
        return (end / scale * times[-1].alpha).to(x.dtype)

    def _start(self, x: Tensor, scheduler: Any, times: Sequence[Time]) -> Tensor:
        """The scheduler's first state from x at ``times[0]``."""
        if self.own_start:
            return x / times[0].sigma * float(scheduler.init_noise_sigma)
        first = self.walk(len(times) - 1).levels[0]
        if math.isinf(first):
            return x / times[0].sigma
        return x / times[0].alpha * conventions_of(self.dialect(scheduler), scheduler).scale(first)


@dataclass(frozen=True, eq=False)
class _Trajectory:
    """One batch on the way.

    Attributes:
        solver: the solver.
        problem: of the batch.
        scheduler: fresh, with its timesteps.
        s_max: where the network is asked for an infinite level.
    """

    solver: _Scheduler
    problem: Problem
    scheduler: Any
    s_max: float

    def run(self, x: Tensor, walk: Walk) -> Tensor:
        """The scheduler's last state."""
        solver, scheduler = self.solver, self.scheduler
        name = type(scheduler).__name__
        dialect = solver.dialect(scheduler)
        conventions = conventions_of(dialect, scheduler)
        arguments = _arguments(solver, scheduler)
        stochastic = self.problem if solver.stochastic else None
        mode = OwnNoise(stochastic, x.shape)
        if hasattr(scheduler, "noise_sampler") and stochastic is not None:
            scheduler.noise_sampler = OwnPath(stochastic.normal)
        timesteps = list(scheduler.timesteps)
        for i, (t, s) in enumerate(zip(timesteps, walk.asked, strict=True)):
            with explain_errors(f"diffusers' {name}"), mode:
                scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            output = conventions.output(x, self._denoise(x, s, conventions.scale(s)), s)
            if dialect.told_next:
                arguments["prev_timestep"] = timesteps[i + 1] if i + 1 < len(timesteps) else None
            with explain_errors(f"diffusers' {name}"), mode:
                x = scheduler.step(output, t, x, **arguments).prev_sample.to(x.dtype)
        return x

    def _denoise(self, x: Tensor, s: float, scale: float) -> Tensor:
        if math.isinf(s):
            s, scale = self.s_max, 1 / self.s_max
        return self.problem.model(x / scale, torch.full((), s, dtype=x.dtype, device=x.device))


def _arguments(solver: _Scheduler, scheduler: Any) -> dict[str, Any]:
    given = dict(solver.arguments or {})
    unknown = sorted(set(given) - (keywords(scheduler.step) - _HOSTS))
    if unknown:
        raise BenchError(f"arguments: {type(scheduler).__name__}.step takes no '{unknown[0]}'")
    return given


def _check_grid(solver: _Scheduler, walk: Walk, times: Sequence[Time]) -> None:
    own = (times[0].s if math.isinf(walk.levels[0]) else walk.levels[0], *walk.levels[1:])
    if all(math.isclose(s, time.s, rel_tol=1e-6) for s, time in zip(own, times, strict=True)):
        return
    given = {"name": "diffusers", "scheduler": solver.scheduler}
    for key in ("config", "config_file", "schedule"):
        if getattr(solver, key):
            given[key] = getattr(solver, key)
    wanted = ", ".join(f"{key}: {value}" for key, value in given.items())
    raise UnsupportedError(
        f"'{solver.name}' runs on its scheduler's own noise levels alone: give it "
        f"`grids: [{{{wanted}}}]`"
    )


@dataclass(frozen=True)
class DiffusersOde(_Scheduler, OdeSolver[None]):
    """A deterministic scheduler of diffusers as it is: its timesteps, its steps, its end.

    It runs on its own noise levels alone, those of the grid `diffusers` with the same parameters,
    and only from noise to data. Each of its timesteps costs one evaluation: of the denoiser at the
    level of the step (not at the timestep's number, which multistep schedulers round), handed on
    as the output that the scheduler's `prediction_type` names. One that draws noise is refused:
    `diffusers_sde` runs those.

    Most schedulers end in x_0: N inference steps are then N - 1 steps here and the last one, which
    takes the place of the core's final denoise. The others end at a level, from which the core
    denoises. There are no correctors. Nothing more is claimed than order 1.
    """

    name: ClassVar[str] = "diffusers"


@dataclass(frozen=True)
class DiffusersSde(_Scheduler, Predictor[None]):
    """A stochastic scheduler of diffusers as it is; else as `diffusers`.

    Its noise is that of the samples' own stream, served in the place of torch.randn; Brownian
    trees (DPM-Solver++ SDE) are served from it too.
    """

    name: ClassVar[str] = "diffusers_sde"
