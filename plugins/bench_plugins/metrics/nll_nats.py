"""Nats per dimension of a closed form by the cell's own ODE solver, beside the exact value."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.api import (
    CountedDenoiser,
    Measurement,
    NoiseStream,
    Role,
    SolverMetric,
    Trial,
    UnsupportedError,
    paper,
    require,
)
from bench_plugins.metrics.loglik import Path, data_draw, log_likelihoods, summarise, with_role

_EXACT_UP_TO = 16
"""Dimensions up to which the exact divergence is the default."""


@dataclass(frozen=True)
class NllNats(SolverMetric):
    """Nats per dimension of exact samples of a closed form, with the exact value beside it.

    Gives ``nll_nats`` (the solver's, not ranked: a coarse solver's is usually too small),
    ``nll_exact_nats`` (the closed form's, at the same points) and ``nll_error_nats``, the mean
    absolute difference.

    Attributes:
        points: number of points, drawn from the distribution at noise level s_min.
        probes: Skilling-Hutchinson probes; 0: exact divergence; None: exact up to 16 dimensions,
            else one probe.
    """

    name: ClassVar[str] = "nll_nats"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 39"
    bibtex: ClassVar[str] = paper("song2021score")
    unit: ClassVar[str] = "nats/dim"
    title: ClassVar[str] = "negative log-likelihood"

    points: int = 256
    probes: int | None = None

    def __post_init__(self) -> None:
        require(self.points >= 1, "points must be >= 1")
        require(self.probes is None or self.probes >= 0, "probes must be >= 0")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        path = Path.of(trial, self.name)
        exact = trial.model.target.exact
        if exact is None:
            raise UnsupportedError(f"{self.name} needs a closed-form density; see nll_bpd")
        draw, s_min = data_draw(trial.draw, self.points), trial.times[-1].s
        noise = NoiseStream(draw.seed, "dequantise", 0, self.points, draw.shape, torch.float64)
        data = exact.sample(self.points, draw.seed)
        y = data + s_min * noise.normal()
        counted = CountedDenoiser(trial.model.denoiser)
        nats = log_likelihoods(
            path, draw, counted, y.to(draw.device, draw.dtype), self._probes(draw.dimension)
        )
        found = nats / -draw.dimension
        truth = exact.log_prob(y, s_min) / -draw.dimension
        error = (found - truth).abs()
        digest = hashlib.sha256(data.numpy().tobytes()).hexdigest()
        return [
            with_role(summarise("nll_nats", self.unit, found, digest, counted), Role.DIAGNOSTIC),
            with_role(
                summarise("nll_error_nats", self.unit, error, digest), Role.ERROR, "nll_nats"
            ),
            with_role(
                summarise("nll_exact_nats", self.unit, truth, digest), Role.EXACT, "nll_nats"
            ),
        ]

    def _probes(self, dimension: int) -> int:
        if self.probes is not None:
            return self.probes
        return 0 if dimension <= _EXACT_UP_TO else 1
