"""Functions under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from bench.api import NoiseProcess, Problem, Time, TimeGrid, UnsupportedError
from bench.testing import grid_of, process_of
from bench.testing.conformance.laboratory import denoise
from bench.testing.weak_order import measured_weak_order
from bench_check.names import own_of
from bench_check.subject import Subject, Trace
from bench_plugins.foreign.function import Function
from bench_plugins.foreign.signatures.base import Call

_GRIDS = ("karras", "log_snr", "uniform_t")
_S_MIN, _S_MAX = 0.02, 50.0
_LOW, _HIGH = 0.05, 20.0
_WEAK_STEPS = (80, 160, 320)


@dataclass(frozen=True)
class FunctionSubject(Subject):
    """A function, a process and a grid that it follows.

    Attributes:
        function: the plugin of the function.
        process: the noise process.
        grid: the grid.
    """

    order_steps: ClassVar[tuple[int, ...]] = (40, 80, 160, 320)
    floor: ClassVar[float] = 1e-11

    function: Function
    process: NoiseProcess
    grid: TimeGrid

    @staticmethod
    def of(function: Function) -> FunctionSubject:
        """In the first setting that fits its signature.

        Raises:
            UnsupportedError: none does.
            BenchError: the function fails.
        """
        process = process_of("vp" if function.signature == "dpm_solver" else "edm")
        refusal = None
        for name in _GRIDS:
            subject = FunctionSubject(function, process, grid_of(name))
            try:
                function.accepts(subject._call(6))
            except UnsupportedError as error:
                refusal = refusal or error
            else:
                return subject
        raise cast(UnsupportedError, refusal)

    @property
    def setting(self) -> str:
        return f"under process {self.process.name} on grid {self.grid.name}"

    @property
    def finishes(self) -> bool:
        return self.function.finishes

    @property
    def stochastic(self) -> bool:
        return self.function.stochastic

    @property
    def claimed_order(self) -> None:
        """None: a function's parameters say nothing that is known of its order."""
        return None

    def cost(self, steps: int) -> int:
        return self.function.cost(steps)

    def times(self, steps: int) -> tuple[Time, ...]:
        return self.grid.times(self.process, steps, _S_MIN, _S_MAX)

    def path(self, steps: int) -> tuple[Time, ...]:
        return self.grid.times(self.process, steps, _LOW, _HIGH)

    def run(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Trace:
        call, end = self.function.trace(problem, x, times)
        y = end if self.finishes else end / times[-1].alpha
        kept = torch.equal(call.y, x / times[0].alpha)
        return Trace(y, call.network.levels, call.noise.draws, kept)

    def weak_order(self) -> float:
        function = self._ending_above_0()
        if function.finishes:
            raise UnsupportedError("a stochastic function that ends in x_0 alone has no such order")
        return measured_weak_order(function, self.process.name, "quadratic", _WEAK_STEPS)

    def own(self) -> tuple[str, dict[str, Any]]:
        return own_of(self.function.call.partition(":")[2]), {}

    def _ending_above_0(self) -> Function:
        """With `end: s_min`; as it is where the signature has no other end."""
        able = self.function.able_ends
        if not self.finishes or False not in able:
            return self.function
        return replace(self.function, end="s_min")

    def _call(self, steps: int) -> Call:
        times, x = self.times(steps), self.start(steps)
        with torch.no_grad():
            return self.function.trace(Problem(self.process, denoise, self.noise()), x, times)[0]
