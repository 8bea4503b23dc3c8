"""Gaussians with classes, and guided samples of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    Adaptive,
    Conditional,
    CountedDenoiser,
    Draw,
    Guidance,
    Sampler,
    ScoreModel,
    Target,
    generate,
    guide,
    rows_of,
)
from bench.registry import Kind, build, load_registry
from bench.testing import grid_of, process_of, stepper_of

S_MIN, S_MAX = 0.002, 50.0
PLAIN, OWN, WEAK = 1.5, 0.4, 0.7
"""Variances of the data without class, with any, and of the weaker model."""


def _gaussian(variance: float, y: Tensor, s: Tensor) -> Tensor:
    return y * (variance / (variance + rows_of(s, y).square()))


def _network(own: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def denoise(y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
        variance = torch.where(labels >= 0, own, PLAIN).to(y)[:, None]
        return y * (variance / (variance + rows_of(s, y).square()))

    return denoise


@dataclass(frozen=True)
class Laboratory:
    """Guided samples of Gaussians of mean 0, all classes alike; and the noise they start from."""

    model: ScoreModel = field(
        default_factory=lambda: ScoreModel(
            Conditional(_network(OWN), 3),
            (2,),
            S_MIN,
            S_MAX,
            "",
            Target("gaussians"),
            weak=Conditional(_network(WEAK), 3),
        )
    )

    def guidance(self, name: str, **parameters: object) -> Guidance[Any]:
        return load_registry().get(name, Kind.GUIDANCE).cls(**parameters)  # type: ignore[return-value]

    def gain(
        self, guidance: Guidance[Any] | None, solver: str = "edm_heun", steps: int = 200
    ) -> Tensor:
        """Samples over their noise, of standard deviation 1."""
        return self._gain(guidance, stepper_of(solver), steps)

    def adaptive_gain(self, guidance: Guidance[Any], solver: type[Adaptive], rtol: float) -> Tensor:
        """``gain`` by a solver that chooses its steps, with relative tolerance ``rtol``."""
        return self._gain(guidance, build(solver, {solver.ladder: rtol}), 1)

    def _gain(self, guidance: Guidance[Any] | None, stepper: Any, steps: int) -> Tensor:
        process = process_of("edm")
        times = grid_of("log_snr").times(process, steps, S_MIN, S_MAX)
        counted = CountedDenoiser(guide(self.model, guidance, None, torch.float64).denoiser)
        draw = Draw(0, 4, 4, (2,), torch.float64)
        sampler = Sampler(stepper, finish=False)
        (batch,) = generate(process, counted, sampler, times, draw)
        return batch.x / draw.standard_prior(0, 4)


@pytest.fixture(scope="session")
def laboratory() -> Laboratory:
    return Laboratory()
