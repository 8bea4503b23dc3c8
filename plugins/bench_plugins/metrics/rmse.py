"""The solver's own error: distance to the converged solution from the same noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    Accumulator,
    Batch,
    CountedDenoiser,
    Draw,
    Measurement,
    Role,
    SampleMetric,
    Sampler,
    ScoreModel,
    Time,
    Trial,
    UnsupportedError,
    generate,
    paper,
    per_model,
    require,
)
from bench_plugins.metrics.converged import REFERENCE_PROCESS, REFERENCE_SOLVER, Converged, converge


@dataclass(frozen=True)
class Rmse(SampleMetric):
    """Root mean square error, per dimension, against the converged PF-ODE from the same noise.

    It separates ODE solvers long after FID has reached the model's floor. ``rmse_reference``
    estimates the reference's own error: near it an rmse means nothing.

    Attributes:
        samples: how many of the first samples are compared.
        reference_steps: Runge-Kutta steps of the reference (4 evaluations each), even.
    """

    name: ClassVar[str] = "rmse"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Appendix D.1 (local error)"
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "RMSE to the converged ODE"
    answers: ClassVar[bool] = True

    samples: int = 64
    reference_steps: int = 64

    def __post_init__(self) -> None:
        require(self.samples >= 1, "samples must be >= 1")
        require(
            self.reference_steps >= 2 and self.reference_steps % 2 == 0,
            "reference_steps must be even and >= 2",
        )

    def start(self, trial: Trial) -> Accumulator:
        if trial.stochastic:
            raise UnsupportedError("rmse needs an ODE solver: stochastic samplers have other paths")
        count = min(self.samples, trial.draw.samples)
        draw = replace(trial.draw, samples=count, batch=count)
        # Over the requested range: a grid that leaves out a part of it pays for that.
        known = _solution(trial.model, draw, trial.span, trial.sampler.finish, self.reference_steps)
        # Without the final denoise the solver's samples are x = alpha y at s_min.
        scale = 1.0 if trial.sampler.finish else trial.times[-1].alpha
        return _Squares(replace(known, value=known.value * scale))


@dataclass(frozen=True)
class _Squares:
    known: Converged
    means: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        value = self.known.value[batch.first : batch.first + len(batch.x)]
        if len(value):
            gap = batch.x[: len(value)].double() - value
            self.means.append(gap.flatten(1).square().mean(1))

    def result(self) -> Sequence[Measurement]:
        squares = torch.cat(self.means)
        n, rmse = len(squares), math.sqrt(float(squares.mean()))
        std_error = evidence = None
        if n > 1 and rmse > 0:
            # Delta method: the error of a root is that of the square over twice the root.
            std_error = float(squares.std()) / math.sqrt(n) / (2 * rmse)
            evidence = rmse + (squares - squares.mean()) / (2 * rmse)
        return [
            Measurement("rmse", rmse, Rmse.unit, n, std_error, role=Role.ERROR, evidence=evidence),
            Measurement(
                "rmse_reference",
                self.known.error,
                Rmse.unit,
                n,
                role=Role.REFERENCE,
                belongs_to="rmse",
            ),
        ]


@per_model
def _solution(
    model: ScoreModel, draw: Draw, span: tuple[float, float], finish: bool, steps: int
) -> Converged:
    """The converged samples (n, *shape)."""
    sampler = Sampler(REFERENCE_SOLVER, finish=finish)
    counted = CountedDenoiser(model.denoiser)

    def solve(times: tuple[Time, ...]) -> Tensor:
        batches = generate(REFERENCE_PROCESS, counted, sampler, times, draw)
        return torch.cat([batch.x for batch in batches])

    return converge(solve, span, steps)
