"""The distance to the sequential solution of the same grid."""

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
    Measurement,
    Role,
    SampleMetric,
    Sampler,
    Trial,
    UnsupportedError,
    generate,
    require,
)
from bench_plugins.parallel.papers import SELVAM2024SRDS
from bench_plugins.parallel.paradigms import Paradigms


@dataclass(frozen=True)
class SequentialGap(SampleMetric):
    """Root mean square distance, per dimension, to DDIM on the cell's own grid from the same noise.

    What is left of the difference between a method that is parallel in time and the sequential
    method that it converges to: the grid's own error, which ``rmse`` has in it, is not in it. For
    other ODE solvers it is a distance and no error.

    Attributes:
        samples: how many of the first samples are compared.
    """

    name: ClassVar[str] = "sequential_gap"
    reference: ClassVar[str] = "Selvam et al. 2024, arXiv:2412.08292 (the serial solution)"
    bibtex: ClassVar[str] = SELVAM2024SRDS
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "Distance to DDIM on the same grid"
    answers: ClassVar[bool] = True

    samples: int = 64

    def __post_init__(self) -> None:
        require(self.samples >= 1, "samples must be >= 1")

    def start(self, trial: Trial) -> Accumulator:
        if trial.stochastic:
            raise UnsupportedError("sequential_gap needs an ODE solver: others have other paths")
        if trial.sampler.adaptive:
            raise UnsupportedError("sequential_gap needs a grid, which an adaptive solver has not")
        count = min(self.samples, trial.draw.samples)
        sampler = Sampler(Paradigms(stride=1, sweeps=1), finish=trial.sampler.finish)
        batches = generate(
            trial.process,
            CountedDenoiser(trial.model.denoiser),
            sampler,
            trial.times,
            replace(trial.draw, samples=count, batch=count),
        )
        values = torch.cat([batch.x for batch in batches]).double()
        return _Gaps(values, sampler.cost(len(trial.times) - 1))


@dataclass(frozen=True)
class _Gaps:
    values: Tensor
    nfe: int
    means: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        known = self.values[batch.first : batch.first + len(batch.x)]
        if len(known):
            gap = batch.x[: len(known)].double() - known
            self.means.append(gap.flatten(1).square().mean(1))

    def result(self) -> Sequence[Measurement]:
        squares = torch.cat(self.means)
        n, value = len(squares), math.sqrt(float(squares.mean()))
        std_error = evidence = None
        if n > 1 and value > 0:  # of a root: that of the square over twice the root
            std_error = float(squares.std()) / math.sqrt(n) / (2 * value)
            evidence = value + (squares - squares.mean()) / (2 * value)
        return [
            Measurement(
                SequentialGap.name,
                value,
                SequentialGap.unit,
                n,
                std_error,
                nfe=self.nfe,
                role=Role.DIAGNOSTIC,
                evidence=evidence,
            )
        ]
