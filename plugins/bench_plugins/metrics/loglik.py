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
    UnsupportedError,
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
        stepper = trial.sampler.stepper
        if not isinstance(stepper, OdeSolver) or trial.sampler.corrector is not None:
            raise UnsupportedError(
                f"{metric} integrates the ODE; a stochastic sampler has no likelihood"
            )
        ends = trial.times[-1].s, trial.times[0].s
        if not all(math.isclose(s, t, rel_tol=1e-6) for s, t in zip(ends, trial.span, strict=True)):
            raise UnsupportedError(
                f"{metric} needs a grid from s = {trial.span[1]:g} to {trial.span[0]:g}; this one "
                f"goes from {ends[1]:g} to {ends[0]:g}"
            )
        return Path(trial.process, stepper, tuple(trial.times))


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
