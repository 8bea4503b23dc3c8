"""f(model, x, sigmas, extra_args=None, callback=None, disable=None, **params)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bench.api import UnsupportedError
from bench_plugins.foreign.signatures.base import Call, Signature


@dataclass(frozen=True)
class KDiffusion(Signature):
    """The functions of k-diffusion, ComfyUI and the web interfaces."""

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return True, False

    def run(self, call: Call) -> Any:
        code, y = call.code, call.y
        if not (code.takes("sigmas") or code.rest):
            raise UnsupportedError(
                f"function: '{code.path}' takes no `sigmas`: it chooses its own levels, and no "
                "grid or budget could be honoured"
            )
        offered: dict[str, Any] = {
            "extra_args": {},
            "callback": None,
            "disable": True,
            "noise_sampler": call.noise.sampler(call.correlation),
        }
        given = {name: value for name, value in offered.items() if code.takes(name)}
        code.check(call.params, 3, given)
        sigmas = torch.tensor(call.levels, dtype=torch.float64).to(y.device, y.dtype)

        def model(x: object, sigma: object, **extra: object) -> torch.Tensor:
            return call.network.denoise(x, sigma)

        return code.call(model, y, sigmas, **given, **call.params)
