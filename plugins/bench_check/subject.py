"""The function under test, in a setting that it can run in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from bench.api import (
    Denoiser,
    NoiseProcess,
    NoiseStream,
    Problem,
    Time,
    TimeGrid,
    UnsupportedError,
)
from bench.testing import grid_of, process_of
from bench.testing.conformance.laboratory import SHAPE, denoise
from bench_plugins.foreign.function import Function
from bench_plugins.foreign.signatures.base import Call

_GRIDS = ("karras", "log_snr", "uniform_t")
S_MIN, S_MAX = 0.02, 50.0


@dataclass(frozen=True)
class Trace:
    """One run: its call, and x_0 or x/alpha at the end."""

    call: Call
    y: Tensor


@dataclass(frozen=True)
class Subject:
    """A function, a process and a grid that it follows.

    Attributes:
        function: the plugin of the function.
        process: the noise process.
        grid: the grid.
    """

    function: Function
    process: NoiseProcess
    grid: TimeGrid

    @staticmethod
    def of(function: Function) -> Subject:
        """In the first setting that fits its signature.

        Raises:
            UnsupportedError: none does.
            BenchError: the function fails.
        """
        process = process_of("vp" if function.signature == "dpm_solver" else "edm")
        refusal = None
        for name in _GRIDS:
            subject = Subject(function, process, grid_of(name))
            try:
                call = subject.trace(6).call
                function.accepts(call)
            except UnsupportedError as error:
                refusal = refusal or error
            else:
                return subject
        raise cast(UnsupportedError, refusal)

    def ending(self, end: str) -> Subject:
        """The same with another ``end``; as it is where the signature has none other."""
        able = self.function.able_ends
        wanted = end == "zero"
        if wanted not in able or wanted == self.function.finishes:
            return self
        return replace(self, function=replace(self.function, end=cast(Any, end)))

    def times(self, steps: int) -> tuple[Time, ...]:
        """The grid of the checks."""
        return self.grid.times(self.process, steps, S_MIN, S_MAX)

    def noise(self, count: int = 8, seed: int = 0, dtype: torch.dtype = torch.float64) -> Any:
        """A stream of sampler noise."""
        return NoiseStream(seed, "sampler", 0, count, SHAPE, dtype)

    def start(self, count: int = 8, dtype: torch.dtype = torch.float64) -> Tensor:
        """x_T of some samples."""
        x = NoiseStream(0, "prior", 0, count, SHAPE, dtype).normal()
        return x * self.times(1)[0].sigma

    def trace(
        self,
        steps: int,
        model: Denoiser = denoise,
        x: Tensor | None = None,
        noise: Any = None,
    ) -> Trace:
        """A run from ``x``, by default of eight samples, without checks of cost and grid."""
        x = self.start() if x is None else x
        noise = self.noise(len(x), dtype=x.dtype) if noise is None else noise
        times = self.times(steps)
        problem = Problem(self.process, model, noise)
        with torch.no_grad():
            call, end = self.function.trace(problem, x, times)
        return Trace(call, end if self.function.finishes else end / times[-1].alpha)
