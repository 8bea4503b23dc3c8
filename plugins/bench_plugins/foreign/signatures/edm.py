"""f(net, latents, class_labels, randn_like, num_steps, sigma_min, sigma_max, **params)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import UnsupportedError
from bench_plugins.foreign.signatures.base import Call, Signature


@dataclass(frozen=True, eq=False)
class Net:
    """A preconditioned network as EDM's samplers know it, without classes.

    Attributes:
        call: whose network it is.
    """

    call: Call

    @property
    def sigma_min(self) -> float:
        """The least level of the grid."""
        return self.call.times[-1].s

    @property
    def sigma_max(self) -> float:
        """The largest level of the grid."""
        return self.call.times[0].s

    def round_sigma(self, sigma: object) -> Tensor:
        """The level itself: every one is the network's."""
        return torch.as_tensor(sigma)

    def __call__(
        self, x: object, sigma: object, class_labels: object = None, **rest: object
    ) -> Tensor:
        if class_labels is not None:
            raise UnsupportedError(
                f"function: '{self.call.code.path}' names classes; give the suite a guidance"
            )
        network = self.call.network
        return network.denoise(x, network.spread(sigma))


@dataclass(frozen=True)
class Edm(Signature):
    """The samplers of EDM's repository: `num_steps` levels, of their own ramp, and 0.

    Latents are the standard normal noise of the start; states may be of float64.
    """

    own_grid: ClassVar[bool] = True

    def ends(self, params: Mapping[str, Any]) -> tuple[bool, ...]:
        return (True,)

    def run(self, call: Call) -> Any:
        net, code = Net(call), call.code
        needed: dict[str, Any] = {
            "num_steps": len(call.times),
            "sigma_min": net.sigma_min,
            "sigma_max": net.sigma_max,
        }
        offered = {"class_labels": None, "randn_like": call.noise.randn_like}
        missing = [name for name in needed if not (code.takes(name) or code.rest)]
        if missing:
            raise UnsupportedError(f"function: '{code.path}' takes no '{missing[0]}'")
        given = needed | {name: value for name, value in offered.items() if code.takes(name)}
        code.check(call.params, 2, given)
        end = code.call(net, call.y / net.sigma_max, **given, **call.params)
        wide = isinstance(end, Tensor) and end.dtype.is_floating_point
        return end.to(call.y.dtype) if wide else end
