"""Negative log-likelihoods by the cell's own ODE solver on the cell's own grid."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Divergence,
    Draw,
    ExactDivergence,
    HutchinsonDivergence,
    Measurement,
    NoiseStream,
    OdeSolver,
    SolverMetric,
    Trial,
    UnsupportedError,
    log_likelihood,
    require,
)

_EXACT_UP_TO = 16
"""Dimensions up to which the exact divergence is the default."""


@dataclass(frozen=True)
class NllBpd(SolverMetric):
    """Bits per dimension of held-out data, uniformly dequantised.

    The density is that of the model at s_min (the usual convention; smaller s_min gives other
    figures, so compare equal s_min only). Averaged over data, with its standard error.

    Attributes:
        images: held-out data points.
        probes: Skilling-Hutchinson probes per point; 0: exact divergence (d products each).
    """

    name: ClassVar[str] = "nll_bpd"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 39 and Appendix D.2"
    unit: ClassVar[str] = "bits/dim"
    title: ClassVar[str] = "negative log-likelihood"

    images: int = 64
    probes: int = 1

    def __post_init__(self) -> None:
        require(self.images >= 1, "images must be >= 1")
        require(self.probes >= 0, "probes must be >= 0")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        solver = _ode_solver(trial, self.name)
        discrete = trial.model.target.discrete
        if discrete is None:
            raise UnsupportedError(
                f"{self.name} needs held-out data with integer levels; see nll_nats"
            )
        data = discrete.held_out()[: self.images]
        draw = _data_draw(trial.draw, len(data))
        noise = NoiseStream(
            draw.seed, "dequantise", 0, len(data), draw.shape, draw.dtype, draw.device
        )
        counted = CountedDenoiser(trial.model.denoiser)
        nats = -_log_likelihoods(
            trial, solver, counted, discrete.dequantise(data, noise), self.probes
        )
        # x = k 2/levels - 1: the density of the levels themselves is narrower by 2/levels.
        bits = nats / (draw.dimension * math.log(2)) + math.log2(discrete.levels / 2)
        digest = hashlib.sha256(data.numpy().tobytes()).hexdigest()
        return [_mean(self.name, self.unit, bits, counted, digest)]


@dataclass(frozen=True)
class NllNats(SolverMetric):
    """Nats per dimension of exact samples of a closed form, with the exact value beside it.

    Gives ``nll_nats`` (the solver's), ``nll_exact_nats`` (the closed form's, at the same points)
    and ``nll_error_nats`` (mean absolute difference).

    Attributes:
        points: number of points, drawn from the distribution at noise level s_min.
        probes: Skilling-Hutchinson probes; 0: exact divergence; None: exact up to 16 dimensions,
            else one probe.
    """

    name: ClassVar[str] = "nll_nats"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 39"
    unit: ClassVar[str] = "nats/dim"
    title: ClassVar[str] = "negative log-likelihood"

    points: int = 256
    probes: int | None = None

    def __post_init__(self) -> None:
        require(self.points >= 1, "points must be >= 1")
        require(self.probes is None or self.probes >= 0, "probes must be >= 0")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        solver = _ode_solver(trial, self.name)
        exact = trial.model.target.exact
        if exact is None:
            raise UnsupportedError(
                f"{self.name} needs a model with a closed-form density; see nll_bpd"
            )
        draw, s_min = _data_draw(trial.draw, self.points), trial.times[-1].s
        noise = NoiseStream(draw.seed, "dequantise", 0, self.points, draw.shape, torch.float64)
        y = exact.sample(self.points, draw.seed) + s_min * noise.normal()
        probes = self.probes
        if probes is None:
            probes = 0 if draw.dimension <= _EXACT_UP_TO else 1
        counted = CountedDenoiser(trial.model.denoiser)
        found = (
            _log_likelihoods(trial, solver, counted, y.to(draw.device, draw.dtype), probes)
            .double()
            .cpu()
            / -draw.dimension
        )
        truth = exact.log_prob(y, s_min) / -draw.dimension
        digest = hashlib.sha256(y.numpy().tobytes()).hexdigest()
        return [
            _mean("nll_nats", self.unit, found, counted, digest),
            _mean("nll_exact_nats", self.unit, truth, CountedDenoiser(counted.network), digest),
            _mean("nll_error_nats", self.unit, (found - truth).abs(), counted, digest),
        ]


def _ode_solver(trial: Trial, metric: str) -> OdeSolver[object]:
    stepper = trial.sampler.stepper
    if not isinstance(stepper, OdeSolver) or trial.sampler.corrector is not None:
        raise UnsupportedError(
            f"{metric} integrates the ODE; a stochastic sampler has no likelihood"
        )
    return stepper


def _data_draw(draw: Draw, count: int) -> Draw:
    return replace(draw, samples=count, batch=64)


def _log_likelihoods(
    trial: Trial, solver: OdeSolver[object], counted: CountedDenoiser, y: Tensor, probes: int
) -> Tensor:
    """log p in nats of each row of ``y``, in batches of one shard."""
    draw = _data_draw(trial.draw, len(y))
    parts = [
        log_likelihood(
            trial.process,
            counted,
            _divergence(draw, first, count, probes),
            solver,
            trial.times,
            y[first : first + count],
        )
        for first, count in draw.slices()
    ]
    return torch.cat(parts).double()


def _divergence(draw: Draw, first: int, count: int, probes: int) -> Divergence:
    if probes == 0:
        return ExactDivergence()
    stream = NoiseStream(draw.seed, "probe", first, count, draw.shape, draw.dtype, draw.device)
    return HutchinsonDivergence(torch.stack([stream.rademacher() for _ in range(probes)]))


def _mean(
    name: str, unit: str, values: Tensor, counted: CountedDenoiser, digest: str
) -> Measurement:
    n = len(values)
    std_error = float(values.std()) / math.sqrt(n) if n > 1 else None
    evaluations = counted.evaluations
    return Measurement(
        name,
        float(values.mean()),
        unit,
        n,
        std_error,
        digest,
        evaluations.nfe(n),
        evaluations.vjps(n),
    )
