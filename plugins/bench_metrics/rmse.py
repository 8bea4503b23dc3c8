"""The solver's own error: distance to the converged solution from the same noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    CountedDenoiser,
    Draw,
    Measurement,
    SampleMetric,
    ScoreModel,
    Trial,
    UnsupportedError,
    require,
)


@dataclass(frozen=True)
class Rmse(SampleMetric):
    """Root mean square error, per dimension, against the converged PF-ODE from the same noise.

    It separates ODE solvers long after FID has reached the model's floor. The reference is the
    classical Runge-Kutta method in a variable that grows like s^(1/7) (Karras et al.'s grid),
    where the ODE is smooth; it is independent of the process, since all share the ODE in
    normalised coordinates. ``rmse_reference`` estimates the reference's own error (Richardson:
    1/15 of the difference to half as many steps): below it an rmse means nothing.

    Attributes:
        samples: how many of the first samples are compared.
        reference_steps: Runge-Kutta steps of the reference (4 evaluations each), even.
    """

    name: ClassVar[str] = "rmse"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Appendix D.1 (local error)"
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "RMSE to the converged ODE"

    samples: int = 64
    reference_steps: int = 64

    def __post_init__(self) -> None:
        require(self.samples >= 1, "samples must be >= 1")
        require(
            self.reference_steps >= 2 and self.reference_steps % 2 == 0,
            "reference_steps must be even and >= 2",
        )

    def start(self, trial: Trial) -> Accumulator:
        if trial.sampler.stepper.stochastic or trial.sampler.corrector is not None:
            raise UnsupportedError(
                "rmse compares ODE solvers; a stochastic sampler has other paths"
            )
        count = min(self.samples, trial.draw.samples)
        draw = replace(trial.draw, samples=count, batch=count)
        span = (trial.times[-1].s, trial.times[0].s)
        x, error = _reference(trial.model, draw, span, trial.sampler.finish, self.reference_steps)
        # Without the final denoise the solver's samples are alpha y; alpha is 1 to 1e-5 or so.
        scale = 1.0 if trial.sampler.finish else trial.times[-1].alpha
        return _Squares(x * scale, error)


@dataclass(frozen=True)
class _Squares:
    reference: Tensor
    error: float
    means: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        known = self.reference[batch.first : batch.first + len(batch.x)]
        if len(known):
            gap = batch.x[: len(known)].double() - known
            self.means.append(gap.flatten(1).square().mean(1))

    def result(self) -> Sequence[Measurement]:
        squares = torch.cat(self.means)
        rmse = math.sqrt(float(squares.mean()))
        # Delta method: the standard error of a root is that of the square over twice the root.
        spread = float(squares.std()) / math.sqrt(len(squares)) if len(squares) > 1 else math.nan
        std_error = spread / (2 * rmse) if rmse > 0 and math.isfinite(spread) else None
        n = len(squares)
        return [
            Measurement("rmse", rmse, Rmse.unit, n, std_error),
            Measurement("rmse_reference", self.error, Rmse.unit, n),
        ]


@lru_cache(maxsize=4)
def _reference(
    model: ScoreModel, draw: Draw, span: tuple[float, float], finish: bool, steps: int
) -> tuple[Tensor, float]:
    """The converged solution (n, *shape), float64, and its estimated RMS error."""
    fine = _solve(model, draw, span, finish, steps)
    coarse = _solve(model, draw, span, finish, steps // 2)
    return fine, math.sqrt(float((fine - coarse).square().mean())) / 15


def _solve(
    model: ScoreModel, draw: Draw, span: tuple[float, float], finish: bool, steps: int
) -> Tensor:
    """Runge-Kutta 4 on dy/du = (y - D)/s ds/du with s = u^7, state in float64."""
    denoiser = CountedDenoiser(model.denoiser)
    low, high = (s ** (1 / 7) for s in span)
    h = (low - high) / steps

    def slope(y: Tensor, u: float) -> Tensor:
        d = _denoise(denoiser, y, u**7, draw)
        return (y - d) * (7 / u)

    y = draw.standard_prior(0, draw.samples).double() * span[1]
    for i in range(steps):
        u = high + i * h
        k1 = slope(y, u)
        k2 = slope(y + 0.5 * h * k1, u + 0.5 * h)
        k3 = slope(y + 0.5 * h * k2, u + 0.5 * h)
        k4 = slope(y + h * k3, u + h)
        y = y + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
    return _denoise(denoiser, y, span[0], draw) if finish else y


def _denoise(denoiser: CountedDenoiser, y: Tensor, s: float, draw: Draw) -> Tensor:
    level = torch.full((), s, dtype=draw.dtype, device=draw.device)
    return denoiser(y.to(draw.dtype), level).double()
