"""f(model, x, sigma_min, sigma_max, ...) of k-diffusion: functions that make their own levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.api import UnsupportedError
from bench_plugins.foreign.code import Code
from bench_plugins.foreign.signatures.base import Call, Signature

_CLOSE = 1e-4
"""Of the range of ln s: a grid that is made in float32, and read back as levels."""


def ask(call: Call, own: Mapping[str, Any]) -> Any:
    """The answer to ``own`` and what k-diffusion's callers give, of which it gets what it takes."""
    code = call.code
    offered: dict[str, Any] = {
        "extra_args": {},
        "callback": None,
        "disable": True,
        "noise_sampler": call.noise.sampler(call.correlation),
    }
    given = {**own, **{name: value for name, value in offered.items() if code.takes(name)}}
    code.check(call.params, 2, given)

    def model(x: object, sigma: object, **extra: object) -> Tensor:
        return call.network.denoise(x, sigma)

    return code.call(model, call.y, **given, **call.params)


def takes_range(code: Code) -> bool:
    """True if it takes the ends of its levels."""
    return code.takes("sigma_min") and code.takes("sigma_max")


@dataclass(frozen=True)
class KNumber(Signature):
    """Those that make their levels of the ends and a number ``n``, as `sample_dpm_fast`.

    ``n`` is the number of the grid's steps. The grid has to be one that the function follows: its
    levels, or at least in kind, `log_snr`, if the function's steps are equal in ln s, a number of
    its own of up to three evaluations each.
    """

    remark: ClassVar[str] = "; it makes its own levels of the grid's ends and its number of steps"

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return (False,)

    def run(self, call: Call) -> Any:
        return ask(call, {**_range(call), "n": len(call.times) - 1})

    def check_levels(self, call: Call) -> None:
        """Refuse any grid but those two.

        Raises:
            UnsupportedError: names the grid to write, if there is one.
        """
        wanted = _places(call, [now.s for now in call.times[:-1]])
        seen = _places(call, call.network.levels)
        if _among(wanted, seen):
            return
        count = len(wanted)
        numbers = range(max(2, math.ceil(count / 3)), count + 1) if count > 2 else (1,)
        equal = any(_among([i / m for i in range(m)], seen) for m in numbers)
        if equal and _among(wanted, [i / count for i in range(count)]):
            return
        grid = "log_snr: its steps are equal in ln s" if equal else "one that has its levels"
        raise UnsupportedError(
            f"function: '{call.code.path}' makes its own levels of sigma_min, sigma_max and n, and "
            f"this grid's would be ignored; give the suite the grid {grid}"
        )


@dataclass(frozen=True)
class KTolerance(Signature):
    """Those that choose their steps by a tolerance ``rtol``, as `sample_dpm_adaptive`.

    Attributes:
        rtol: the relative tolerance.
    """

    rtol: float

    def of(self, code: Code) -> Signature:
        if not (takes_range(code) and (code.takes("rtol") or code.rest)) or code.takes("n"):
            raise UnsupportedError(
                f"adaptive_function: '{code.path}' does not choose its steps by sigma_min, "
                "sigma_max and rtol alone; run it by the solver function"
            )
        return self

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return (False,)

    def run(self, call: Call) -> Any:
        return ask(call, {**_range(call), "rtol": self.rtol})


def _range(call: Call) -> dict[str, float]:
    return {"sigma_min": call.times[-1].s, "sigma_max": call.times[0].s}


def _places(call: Call, levels: list[float]) -> list[float]:
    """ln s of ``levels`` as shares of the way from the grid's first level to its last."""
    first, last = math.log(call.times[0].s), math.log(call.times[-1].s)
    return [(first - math.log(s)) / (first - last) for s in levels]


def _among(wanted: list[float], seen: list[float]) -> bool:
    return all(any(abs(place - other) < _CLOSE for other in seen) for place in wanted)
