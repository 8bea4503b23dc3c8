"""DPM-Solver's: a noise_pred_fn of (x, t_continuous) and a noise schedule."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import BenchError, NoiseProcess, Time, UnsupportedError
from bench_plugins.foreign.code import Code, guard
from bench_plugins.foreign.signatures.base import Call, Signature

TOTAL_N = 1000
"""Steps of the discrete schedule that this one could be the limit of; T / TOTAL_N is a default."""


@dataclass(frozen=True)
class Schedule:
    """A variance-preserving process as DPM-Solver's `NoiseScheduleVP` describes one.

    Attributes:
        process: the process.
    """

    process: NoiseProcess

    total_N: ClassVar[int] = TOTAL_N  # noqa: N815 - as the functions call it

    @property
    def schedule(self) -> str:
        """Its name: of a schedule in continuous time."""
        return "linear" if self.process.name == "vp" else self.process.name

    @property
    def T(self) -> float:  # noqa: N802 - as the functions call it
        """The largest time."""
        return self.process.t_max

    def marginal_log_mean_coeff(self, t: Tensor) -> Tensor:
        """ln alpha(t)."""
        return self._of(self.process.alpha, t).log()

    def marginal_alpha(self, t: Tensor) -> Tensor:
        """alpha(t)."""
        return self._of(self.process.alpha, t)

    def marginal_std(self, t: Tensor) -> Tensor:
        """sigma(t)."""
        return self._of(self.process.sigma, t)

    def marginal_lambda(self, t: Tensor) -> Tensor:
        """ln(alpha(t) / sigma(t))."""
        return self._of(self.process.alpha, t).log() - self._of(self.process.sigma, t).log()

    def inverse_lambda(self, lamb: Tensor) -> Tensor:
        """t of a half log-SNR."""
        return self._of(self.process.time_at, (-lamb.double()).exp()).to(lamb.dtype)

    @staticmethod
    def _of(function: Callable[[Tensor], Tensor], t: Tensor) -> Tensor:
        # In float64: float32 loses two per cent of sigma at the least times.
        return function(t.double()).to(t.dtype)


@dataclass(frozen=True)
class DpmSolver(Signature):
    """A function (noise_pred_fn, noise_schedule, x, steps=, t_start=, t_end=, ...), or a class.

    Of a class (`DPM_Solver`, `UniPC`) an object is made of noise_pred_fn, noise_schedule and those
    of the parameters that it takes; its method `sample` gets the others. x is the process's own.
    """

    own_grid: ClassVar[bool] = True

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return (bool(params.get("denoise_to_zero", False)),)

    def run(self, call: Call) -> Any:
        start, end = call.times[0], call.times[-1]
        if any(abs(now.alpha**2 + now.sigma**2 - 1) > 1e-6 for now in (start, end)):
            raise UnsupportedError(
                f"function: the signature dpm_solver is for variance-preserving processes, and "
                f"'{call.process.name}' is none"
            )
        given = {"steps": len(call.times) - 1, "t_start": start.t, "t_end": end.t}
        sample = self._sampler(call, given)
        x = sample(call.y * start.alpha)
        return x if call.zero or not isinstance(x, Tensor) else x / end.alpha

    def _sampler(self, call: Call, given: Mapping[str, Any]) -> Callable[[Tensor], Any]:
        code, parts = call.code, (self._noise_prediction(call), Schedule(call.process))
        if not inspect.isclass(code.target):
            code.check(call.params, 3, given)
            return lambda x: code.call(*parts, x, **given, **call.params)
        method = Code(f"{code.path}.sample", getattr(code.target, "sample", None) or _no_method)
        own = {name: value for name, value in call.params.items() if code.takes(name)}
        rest = {name: value for name, value in call.params.items() if name not in own}
        code.check(own, 2, {})
        method.check(rest, 2, given)
        made = code.call(*parts, **own)
        return lambda x: guard(method.path, lambda: made.sample(x, **given, **rest))

    def _noise_prediction(self, call: Call) -> Callable[[object, object], Tensor]:
        def noise_pred_fn(x: object, t_continuous: object, *rest: object) -> Tensor:
            if not (isinstance(x, Tensor) and isinstance(t_continuous, Tensor)):
                raise BenchError(f"function: '{call.code.path}' calls its model without tensors")
            now = self._time(call, t_continuous)
            y = x / now.alpha
            level = torch.full((len(y),), now.s, dtype=torch.float64)
            return (y - call.network.denoise(y, level)) / now.s

        return noise_pred_fn

    def _time(self, call: Call, t: Tensor) -> Time:
        with torch._C.DisableTorchFunction():
            first, last = float(t.min()), float(t.max())
        process = call.process
        slack = 1e-4 * process.t_max
        inside = process.t_min - slack <= first <= last <= process.t_max + slack
        if first != last or not inside or not math.isfinite(first):
            raise BenchError(
                f"function: '{call.code.path}' calls its model at t from {first:g} to {last:g}; "
                f"one time from {process.t_min:g} to {process.t_max:g} was expected"
            )
        return process.at(first)


def _no_method() -> None:
    raise BenchError("function: a class of the signature dpm_solver needs a method `sample`")
