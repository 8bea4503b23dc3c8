"""One batch on a scheduler's way from noise to data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.api import BenchError, BrownianPath, Denoiser
from bench_plugins.diffusers_schedulers.dialects import Dialect
from bench_plugins.diffusers_schedulers.library import explain_errors, keywords
from bench_plugins.diffusers_schedulers.noise import OwnNoise
from bench_plugins.diffusers_schedulers.predictions import Conventions, conventions_of
from bench_plugins.diffusers_schedulers.recipe import Recipe, Walk

_HOSTS = frozenset(
    {"model_output", "timestep", "sample", "generator", "return_dict", "prev_timestep"}
)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A fresh scheduler and what it is told.

    Attributes:
        scheduler: the scheduler, with its timesteps.
        dialect: its conventions.
        conventions: its state and prediction.
        arguments: further arguments of `step`.
        walk: its noise levels.
        s_max: where the network is asked for an infinite level.
    """

    scheduler: Any
    dialect: Dialect
    conventions: Conventions
    arguments: Mapping[str, Any]
    walk: Walk
    s_max: float

    @staticmethod
    def prepare(
        recipe: Recipe, arguments: Mapping[str, Any], walk: Walk, device: torch.device, s_max: float
    ) -> Trajectory:
        """For the scheduler of ``recipe`` on ``walk``.

        Raises:
            BenchError: `step` does not take all ``arguments``.
        """
        scheduler = recipe.prepare(walk.inference_steps, device)
        check_arguments(scheduler, arguments)
        dialect = recipe.dialect(scheduler)
        conventions = conventions_of(dialect, scheduler)
        return Trajectory(scheduler, dialect, conventions, arguments, walk, s_max)

    def run(
        self, x: Tensor, model: Denoiser, normal: Callable[[], Tensor]
    ) -> tuple[Tensor, list[str]]:
        """The scheduler's last state from its first, ``x``, and the source of each draw of noise.

        Args:
            x: of shape (n, *shape).
            model: D(y; s), one evaluation.
            normal: the next standard normal draw of the samples, shape of ``x``.
        """
        scheduler, noise = self.scheduler, OwnNoise(normal, x.shape)
        arguments = dict(self.arguments)
        if hasattr(scheduler, "noise_sampler"):
            path = BrownianPath(lambda: noise.draw("noise_sampler"))
            scheduler.noise_sampler = lambda now, then: path(float(now), float(then))
        if "generator" in keywords(scheduler.step):
            arguments["generator"] = torch.Generator()  # what it is asked for is the samples' own
        timesteps = list(scheduler.timesteps)
        for i, (t, s) in enumerate(zip(timesteps, self.walk.asked, strict=True)):
            if hasattr(scheduler, "scale_model_input"):  # some set their counter there
                with self._guard(), noise:
                    scheduler.scale_model_input(x, t)
            output = self.conventions.output(x, self._denoise(model, x, s), s)
            if self.dialect.told_next:
                arguments["prev_timestep"] = timesteps[i + 1] if i + 1 < len(timesteps) else None
            with self._guard(), noise:
                x = scheduler.step(output, t, x, **arguments).prev_sample.to(x.dtype)
        return x, noise.draws

    def _guard(self) -> Any:
        return explain_errors(f"diffusers' {type(self.scheduler).__name__}")

    def _denoise(self, model: Denoiser, x: Tensor, s: float) -> Tensor:
        scale = self.conventions.scale(s)
        if math.isinf(s):
            s, scale = self.s_max, 1 / self.s_max
        return model(x / scale, torch.full((), s, dtype=x.dtype, device=x.device))


def check_arguments(scheduler: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse what `step` does not take.

    Raises:
        BenchError: names it.
    """
    unknown = sorted(set(arguments) - (keywords(scheduler.step) - _HOSTS))
    if unknown:
        raise BenchError(f"arguments: {type(scheduler).__name__}.step takes no '{unknown[0]}'")
