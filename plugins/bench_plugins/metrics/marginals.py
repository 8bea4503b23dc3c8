"""The metric of a sampler's marginals at times between T and the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.api import CountedDenoiser, Measurement, Role, SolverMetric, Trial, paper, require
from bench_plugins.metrics.marginal import Marginal, Yardstick, measure_marginals
from bench_plugins.metrics.papers import SLICED_WASSERSTEIN


@dataclass(frozen=True)
class Marginals(SolverMetric):
    """Distance of x_t to the exact p_t at times between T and the end of the grid.

    The sampler runs from the prior with its own noise and is looked at on the way, before the final
    denoise. At each time the sliced Wasserstein distance to fresh exact samples of p_t stands
    beside what exact samples of the same number have; all in units of (1 + s^2)^(1/2) alpha.
    ``marginals`` is the largest excess over that, in standard deviations: about 2 by chance alone,
    and growing like the root of ``samples`` where x_t is not of p_t. A method that chooses its own
    steps is stopped at times evenly in ln s.

    Attributes:
        levels: number of times, evenly in steps, 1 to 100; the last is the end of the grid.
        samples: how many samples are compared, at most (those of the cell).
        reference_samples: number of exact samples.
        repeats: how many further exact samples give mean and spread by chance, 2 to 1000.
        axes: number of directions of the sliced Wasserstein distance.
    """

    name: ClassVar[str] = "marginals"
    reference: ClassVar[str] = (
        "Song et al. 2021, arXiv:2011.13456, Section 4.3 (one marginal for SDE and ODE); "
        "Bonneel et al. 2015"
    )
    bibtex: ClassVar[str] = paper("song2021score") + SLICED_WASSERSTEIN
    unit: ClassVar[str] = "standard deviations"
    title: ClassVar[str] = "excess distance of marginals"

    levels: int = 5
    samples: int = 1024
    reference_samples: int = 5000
    repeats: int = 20
    axes: int = 32

    def __post_init__(self) -> None:
        require(1 <= self.levels <= 100, "levels must lie in 1..100")
        require(2 <= self.samples <= 1_000_000, "samples must lie in 2..1000000")
        require(
            2 <= self.reference_samples <= 1_000_000, "reference_samples must lie in 2..1000000"
        )
        require(2 <= self.repeats <= 1000, "repeats must lie in 2..1000")
        require(1 <= self.axes <= 10_000, "axes must lie in 1..10000")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        counted = CountedDenoiser(trial.model.denoiser)
        yardstick = Yardstick(
            self.levels, self.samples, self.reference_samples, self.repeats, self.axes
        )
        found = measure_marginals(trial, yardstick, counted)
        n = min(self.samples, trial.draw.samples)
        worst = max(found, key=lambda marginal: marginal.excess)
        summary = Measurement(
            self.name,
            worst.excess,
            self.unit,
            n,
            nfe=counted.evaluations.nfe(n),
            reference_n=self.reference_samples,
            note=f"at {_place(worst)}",
        )
        return [summary, *(part for m in found for part in self._numbers(m, n))]

    def _numbers(self, marginal: Marginal, n: int) -> Iterator[Measurement]:
        name = f"marginal_swd_{round(100 * marginal.share)}"
        yield Measurement(
            name,
            marginal.distance,
            "1",
            n,
            marginal.spread,
            role=Role.DIAGNOSTIC,
            belongs_to=self.name,
            reference_n=self.reference_samples,
            note=f"at {_place(marginal)}",
        )
        yield Measurement(
            f"{name}_exact",
            marginal.expected,
            "1",
            n,
            marginal.spread / math.sqrt(marginal.repeats),
            role=Role.EXACT,
            belongs_to=name,
            reference_n=self.reference_samples,
        )


def _place(marginal: Marginal) -> str:
    return f"t = {marginal.time.t:.4g}, s = {marginal.time.s:.4g}"
