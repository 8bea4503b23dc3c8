"""f(x_T, denoise, levels, **params): the plain signature, for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench_plugins.foreign.signatures.base import Call, Signature


@dataclass(frozen=True)
class Plain(Signature):
    """x_T = x_0 + s eps, D = denoise(x, s) for s a number or of shape (), (1,) or (n,), levels s.

    The levels are floats, falling; under ``end: zero`` the last is 0. A parameter ``noise`` is
    given a function without arguments: the next standard normal draw, shape of x_T.
    """

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return False, True

    def run(self, call: Call) -> Any:
        network = call.network

        def denoise(x: object, s: object) -> object:
            if isinstance(s, int | float):
                return network.denoise_at(x, float(s))
            return network.denoise(x, network.spread(s))

        given = {"noise": lambda: call.noise.normal("noise")} if call.code.takes("noise") else {}
        call.code.check(call.params, 3, given)
        return call.code.call(call.y, denoise, tuple(call.levels), **given, **call.params)
