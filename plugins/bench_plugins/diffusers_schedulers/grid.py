"""The noise levels that a scheduler of diffusers chooses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, UnsupportedError
from bench_plugins.diffusers_schedulers.papers import VONPLATEN2022DIFFUSERS
from bench_plugins.diffusers_schedulers.recipe import Recipe


@dataclass(frozen=True)
class SchedulerLevels(Recipe, TimeGrid):
    """The noise levels of a scheduler of diffusers, as its `set_timesteps` makes them.

    The grid of the solver `diffusers`, which runs on no other, and one on which any solver can be
    compared with it. It begins and ends where the scheduler does. Flow
    matching and IPNDM begin at noise alone, s infinite: there the grid has s_max, at which the
    network is asked. Levels outside of s_min .. s_max are refused.
    """

    name: ClassVar[str] = "diffusers"
    reference: ClassVar[str] = "von Platen et al. 2022, github.com/huggingface/diffusers"
    bibtex: ClassVar[str] = VONPLATEN2022DIFFUSERS
    spans: ClassVar[bool] = False

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        first, *rest = self.walk(steps).levels
        levels = (s_max if math.isinf(first) else first, *rest)
        slack = 1 + 1e-6
        if levels[0] > s_max * slack or levels[-1] * slack < s_min or rest[0] >= levels[0]:
            keys = ", ".join(self.range_keys())
            change = f"change its config ({keys}), or " if keys else "change "
            raise UnsupportedError(
                f"grid 'diffusers': {self.scheduler or 'the scheduler'} goes from s = "
                f"{levels[0]:g} to {levels[-1]:g}, outside of {s_max:g} to {s_min:g}, which model, "
                f"process and suite have in common; {change}the range"
            )
        return tuple(process.at_s(s) for s in levels)
