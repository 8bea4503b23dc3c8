"""Bits per dimension of held-out data by the cell's own ODE solver."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import (
    CountedDenoiser,
    DiscreteData,
    Draw,
    Measurement,
    NoiseStream,
    Role,
    ScoreModel,
    SolverMetric,
    Time,
    Trial,
    UnsupportedError,
    paper,
    per_model,
    require,
)
from bench_plugins.metrics.converged import REFERENCE_PROCESS, REFERENCE_SOLVER, Converged, converge
from bench_plugins.metrics.loglik import Path, data_draw, log_likelihoods, summarise, with_role


@dataclass(frozen=True)
class NllBpd(SolverMetric):
    """Bits per dimension of held-out data, uniformly dequantised.

    A coarse solver's figure is no likelihood of anything, and usually too small: at 10 NFE it may
    even be negative. So ``nll_bpd`` is not ranked; beside it stand ``nll_bpd_converged``, the
    model's own value from a converged solver at the same points with the same probes, and
    ``nll_bpd_error``, the mean absolute difference, which is the solver's error, and
    ``nll_bpd_error_reference``, the estimated error of the converged value itself: near it an
    error means nothing. The density is that of the model at noise level s_min: compare equal
    s_min only.

    Attributes:
        images: held-out data points (or as many as there are).
        probes: Skilling-Hutchinson probes per point; 0: exact divergence (d products each).
        reference_steps: Runge-Kutta steps of the converged value (4 evaluations each), even.
    """

    name: ClassVar[str] = "nll_bpd"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 39 and Appendix D.2"
    bibtex: ClassVar[str] = paper("song2021score")
    unit: ClassVar[str] = "bits/dim"
    title: ClassVar[str] = "negative log-likelihood"

    images: int = 64
    probes: int = 1
    reference_steps: int = 64

    def __post_init__(self) -> None:
        require(self.images >= 1, "images must be >= 1")
        require(self.probes >= 0, "probes must be >= 0")
        require(
            self.reference_steps >= 2 and self.reference_steps % 2 == 0,
            "reference_steps must be even and >= 2",
        )

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        path = Path.of(trial, self.name)
        if trial.model.target.discrete is None:
            raise UnsupportedError(f"{self.name} needs held-out integer data; see nll_nats")
        points = _Points.of(trial.model.target.discrete, trial.draw, self)
        span = (trial.times[-1].s, trial.times[0].s)
        known = _converge(trial.model, trial.draw, self, span)
        counted = CountedDenoiser(trial.model.denoiser)
        bits = points.bits(counted, path)
        error = (bits - known.value).abs()
        return [
            with_role(
                summarise("nll_bpd", self.unit, bits, points.digest, counted), Role.DIAGNOSTIC
            ),
            with_role(
                summarise("nll_bpd_error", self.unit, error, points.digest), Role.ERROR, "nll_bpd"
            ),
            with_role(
                summarise("nll_bpd_converged", self.unit, known.value, points.digest),
                Role.EXACT,
                "nll_bpd",
            ),
            Measurement(
                "nll_bpd_error_reference",
                known.error,
                self.unit,
                len(known.value),
                role=Role.REFERENCE,
                belongs_to="nll_bpd_error",
            ),
        ]


@dataclass(frozen=True, eq=False)
class _Points:
    """Dequantised held-out data and the probes' number."""

    y: Tensor
    draw: Draw
    levels: int
    probes: int
    digest: str

    @staticmethod
    def of(discrete: DiscreteData, draw: Draw, metric: NllBpd) -> _Points:
        data = discrete.held_out()[: metric.images]
        own = data_draw(draw, len(data))
        noise = NoiseStream(own.seed, "dequantise", 0, len(data), own.shape, own.dtype, own.device)
        digest = hashlib.sha256(data.numpy().tobytes()).hexdigest()
        return _Points(
            discrete.dequantise(data, noise), own, discrete.levels, metric.probes, digest
        )

    def bits(self, counted: CountedDenoiser, path: Path) -> Tensor:
        """Bits per dimension of each point."""
        nats = -log_likelihoods(path, self.draw, counted, self.y, self.probes)
        # x = k 2/levels - 1: the density of the levels themselves is narrower by 2/levels.
        return nats / (self.draw.dimension * math.log(2)) + math.log2(self.levels / 2)


@per_model
def _converge(
    model: ScoreModel, draw: Draw, metric: NllBpd, span: tuple[float, float]
) -> Converged:
    """The model's own bits per dimension of each point."""
    assert model.target.discrete is not None
    points = _Points.of(model.target.discrete, draw, metric)
    counted = CountedDenoiser(model.denoiser)

    def solve(times: tuple[Time, ...]) -> Tensor:
        return points.bits(counted, Path(REFERENCE_PROCESS, REFERENCE_SOLVER, times))

    return converge(solve, span, metric.reference_steps)
