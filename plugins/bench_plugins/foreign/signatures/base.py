"""The contract of a signature: from a problem to the call of a function, and back."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.api import NoiseProcess, Time, UnsupportedError
from bench_plugins.foreign.code import Code
from bench_plugins.foreign.increments import Correlation
from bench_plugins.foreign.network import Network
from bench_plugins.foreign.noise import Noise

_CLOSE = 1e-4  # relative: grids that functions make in float32, and their round trips in t


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a function, on one batch.

    Attributes:
        code: the function.
        params: the user's keyword arguments.
        network: D, counted.
        noise: the samples' own.
        y: x/alpha at the start, shape (n, *shape); a tensor of the call's own.
        times: the grid.
        zero: whether the function ends in x_0, beyond the last level.
        process: the noise process.
        correlation: of the noise of intervals that overlap.
    """

    code: Code
    params: Mapping[str, Any]
    network: Network
    noise: Noise
    y: Tensor
    times: Sequence[Time]
    zero: bool
    process: NoiseProcess
    correlation: Correlation | None = None

    @property
    def levels(self) -> list[float]:
        """s of the grid, with 0 at the end where the function goes there."""
        return [now.s for now in self.times] + ([0.0] if self.zero else [])


class Signature(ABC):
    """A signature. ``own_grid`` is True if the function makes its grid of the ends and a number."""

    own_grid: ClassVar[bool] = False
    remark: ClassVar[str] = ""
    """What becomes of the grid, for readers of the numbers, where that is not plain."""

    def of(self, code: Code) -> Signature:
        """The signature as ``code`` has it; by default itself.

        Raises:
            UnsupportedError: ``code`` takes what none of this name has.
        """
        return self

    @abstractmethod
    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        """The values of ``zero`` that a function of this signature can honour, the usual first."""

    @abstractmethod
    def run(self, call: Call) -> Any:
        """The function's answer: y at the last level, or x_0 under ``zero``; unchecked."""

    def check_levels(self, call: Call) -> None:
        """Refuse a grid that the function did not follow, where it makes its own.

        Raises:
            UnsupportedError: no evaluation was at one of the grid's levels.
        """
        seen = call.network.levels
        inner = [now.s for now in call.times[1:-1]] if self.own_grid else []
        missing = [s for s in inner if not any(math.isclose(s, u, rel_tol=_CLOSE) for u in seen)]
        if missing:
            near = min(seen, key=lambda u: abs(math.log(u / missing[0])))
            raise UnsupportedError(
                f"function: '{call.code.path}' makes its own grid, which is not this one: it "
                f"evaluates at s = {near:.6g}, not at {missing[0]:.6g}; give it the grid that it "
                "makes (edm: karras; dpm_solver: uniform_t or log_snr, after its skip_type)"
            )
