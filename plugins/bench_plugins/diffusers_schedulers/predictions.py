"""D(y; s) as the network's output that a scheduler takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from bench.api import BenchError, combine
from bench_plugins.diffusers_schedulers.dialects import State


@dataclass(frozen=True)
class Conventions:
    """A scheduler's state and prediction.

    Attributes:
        state: as `Dialect.state`.
        prediction: `epsilon`, `sample`, `v_prediction` or `flow_prediction`; with `edm_` in front
            that of EDM's network F in D = c_skip y + c_out F.
        sigma_data: of EDM's preconditioning.
    """

    state: State
    prediction: str
    sigma_data: float = 0.5

    def scale(self, s: float) -> float:
        """alpha of the state at ``s``; at infinity the state is eps, and this is 1 / s in it."""
        if self.state == "ve":
            return 1.0
        return 1 / math.hypot(1, s) if self.state == "vp" else 1 / (1 + s)

    def output(self, x: Tensor, d: Tensor, s: float) -> Tensor:
        """The network's output from the state ``x`` and D; ``s`` may be infinite."""
        if math.isinf(s):
            return self._output(d, x, 0.0, 1.0, s)
        scale = self.scale(s)
        eps = combine((1 / (scale * s), x), (-1 / s, d))
        cosine = 1 / math.hypot(1, s)
        return self._output(d, eps, cosine, s * cosine, s)

    def _output(self, d: Tensor, eps: Tensor, cosine: float, sine: float, s: float) -> Tensor:
        if self.prediction == "epsilon":
            return eps
        if self.prediction in ("sample", "original_sample"):
            return d
        if self.prediction == "v_prediction":
            return combine((cosine, eps), (-sine, d))
        if self.prediction == "flow_prediction":
            return combine((1.0, eps), (-1.0, d))
        return self._edm(d, eps, s)

    def _edm(self, d: Tensor, eps: Tensor, s: float) -> Tensor:
        signs = {"edm_epsilon": 1.0, "edm_v_prediction": -1.0}
        if self.prediction not in signs:
            raise BenchError(f"config: prediction_type '{self.prediction}' is not known")
        total = math.hypot(s, self.sigma_data)
        skip = (self.sigma_data / total) ** 2
        out = signs[self.prediction] * s * self.sigma_data / total
        # (D - c_skip (D + s eps)) / c_out
        return combine(((1 - skip) / out, d), (-skip * s / out, eps))


def conventions_of(dialect: Any, scheduler: Any) -> Conventions:
    """The conventions of ``scheduler``."""
    return Conventions(
        dialect.state_of(scheduler),
        dialect.prediction_of(scheduler),
        float(scheduler.config.get("sigma_data") or 0.5),
    )
