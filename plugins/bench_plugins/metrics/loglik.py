"""Log-likelihoods of a set of points, batch by batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Divergence,
    Draw,
    ExactDivergence,
    HutchinsonDivergence,
    Measurement,
    NoiseProcess,
    NoiseStream,
    OdeSolver,
    Role,
    Time,
    Trial,
    log_likelihood,
)


@dataclass(frozen=True)
class Path:
    """The path along which a likelihood is integrated."""

    process: NoiseProcess
    solver: OdeSolver[Any]
    times: tuple[Time, ...]

    @staticmethod
    def of(trial: Trial, metric: str) -> Path:
        """The cell's own solver on its own grid.

        Raises:
            UnsupportedError: the sampler is stochastic, or the grid leaves out a part.
        """
        solver = trial.ode_solver(
            metric, "integrates the ODE; a stochastic sampler has no likelihood"
        )
        return Path(trial.process, solver, tuple(trial.times))


def data_draw(draw: Draw, count: int) -> Draw:
    """The seed, shape and device of ``draw`` for ``count`` data points, one shard at a time."""
    return replace(draw, samples=count, batch=64)


def log_likelihoods(
    path: Path, draw: Draw, counted: CountedDenoiser, y: Tensor, probes: int
) -> Tensor:
    """log p in nats of each of the ``draw.samples`` rows of ``y``, float64 on the CPU.

    ``probes`` Skilling-Hutchinson probes for each point, or the exact divergence for 0.
    """
    parts = [
        log_likelihood(
            path.process,
            counted,
            _divergence(draw, first, count, probes),
            path.solver,
            path.times,
            y[first : first + count],
        )
        for first, count in draw.slices()
    ]
    return torch.cat(parts).double().cpu()


def _divergence(draw: Draw, first: int, count: int, probes: int) -> Divergence:
    if probes == 0:
        return ExactDivergence()
    stream = NoiseStream(draw.seed, "probe", first, count, draw.shape, draw.dtype, draw.device)
    return HutchinsonDivergence(torch.stack([stream.rademacher() for _ in range(probes)]))


def summarise(
    name: str, unit: str, values: Tensor, digest: str, counted: CountedDenoiser | None = None
) -> Measurement:
    """The mean of ``values`` with its standard error, and what it cost."""
    n = len(values)
    evaluations = counted.evaluations if counted else None
    return Measurement(
        metric=name,
        value=float(values.mean()),
        unit=unit,
        n=n,
        std_error=float(values.std()) / math.sqrt(n) if n > 1 else None,
        reference=digest,
        nfe=evaluations.nfe(n) if evaluations else 0.0,
        vjp=evaluations.vjps(n) if evaluations else 0.0,
        evidence=values,
    )


def with_role(measurement: Measurement, role: Role, belongs_to: str = "") -> Measurement:
    """The same number with its role, and the number that it accompanies."""
    return replace(measurement, role=role, belongs_to=belongs_to)
