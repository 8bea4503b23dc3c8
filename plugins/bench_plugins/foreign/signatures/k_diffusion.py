"""f(model, x, sigmas, extra_args=None, callback=None, disable=None, **params)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bench.api import UnsupportedError
from bench_plugins.foreign.code import Code
from bench_plugins.foreign.signatures.base import Call, Signature
from bench_plugins.foreign.signatures.k_range import KNumber, ask, takes_range


@dataclass(frozen=True)
class KDiffusion(Signature):
    """The functions of k-diffusion, ComfyUI and the web interfaces."""

    def of(self, code: Code) -> Signature:
        if code.takes("sigmas") or code.rest:
            return self
        if not takes_range(code):
            raise UnsupportedError(
                f"function: '{code.path}' takes no `sigmas`, and no `sigma_min` and `sigma_max`; "
                "no grid could be honoured"
            )
        if not code.takes("n"):
            raise UnsupportedError(
                f"function: '{code.path}' takes no `sigmas` and no number `n`: it chooses its own "
                "steps, which no budget sets; run it by the solver adaptive_function"
            )
        return KNumber()

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return True, False

    def run(self, call: Call) -> Any:
        sigmas = torch.tensor(call.levels, dtype=torch.float64).to(call.y.device, call.y.dtype)
        return ask(call, {"sigmas": sigmas})
