"""Codes against draws of N(0, I)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Draw,
    Measurement,
    NoiseStream,
    Role,
    SolverMetric,
    Trial,
    Uncertainty,
    paper,
    require,
)
from bench_plugins.latents.coder import Coder, data_model
from bench_plugins.latents.normality import (
    KolmogorovSmirnov,
    Statistic,
    energy_distance,
    evaluate,
    influences,
    kurtosis_deviation,
    mean_deviation,
    variance_deviation,
)
from bench_plugins.latents.papers import ENERGY_TEST
from bench_plugins.latents.points import data_points


@dataclass(frozen=True)
class CodeGaussianity(SolverMetric):
    """Distances of the codes of exact or held-out data from N(0, I).

    Root mean squares over entries of the mean (``code_mean``), of the variance less 1
    (``code_variance``) and of the excess kurtosis (``code_kurtosis``); the Kolmogorov-Smirnov
    distance to N(0, 1), averaged over random directions (``code_ks``); the energy distance to
    N(0, I) (``code_energy``). None is ranked: beside each stands ``..._gaussian``, the same of as
    many true draws of N(0, I), the mean over ``floors`` sets of them, which a better solver does
    not go below. Codes of the true distribution are N(0, I) smeared by the data, x_0 / s_max; more
    is the solver's error, the model's, or data that the model has not learned.

    Attributes:
        points: number of data points (or as many as there are).
        directions: random directions of the Kolmogorov-Smirnov distance.
        floors: sets of Gaussian draws.
    """

    name: ClassVar[str] = "code_gaussianity"
    reference: ClassVar[str] = (
        "Song et al. 2021, arXiv:2011.13456, Section 4.3; Szekely and Rizzo 2005"
    )
    bibtex: ClassVar[str] = paper("song2021score") + ENERGY_TEST
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "distance of codes from N(0, I)"

    points: int = 256
    directions: int = 64
    floors: int = 32

    def __post_init__(self) -> None:
        require(self.points >= 4, "points must be >= 4")
        require(self.directions >= 1, "directions must be >= 1")
        require(self.floors >= 2, "floors must be >= 2")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        coder = Coder.of(trial, self.name)
        points = data_points(trial.model, trial.draw, self.points, coder.span[0])
        counted = CountedDenoiser(trial.model.denoiser)
        model = data_model(trial.model, counted)
        slices = [points.y[first : first + n] for first, n in points.draw.slices()]
        codes = torch.cat([coder.encode(model, y) for y in slices]).flatten(1).double().cpu()
        reference = _Reference.of(points.draw, self)
        numbers = []
        for name, statistic in reference.statistics().items():
            value = evaluate(statistic, codes)
            error = Uncertainty.of(value, partial(influences, statistic, codes))
            numbers.append(
                Measurement(
                    name,
                    value,
                    self.unit,
                    len(codes),
                    error.std_error,
                    points.digest,
                    nfe=counted.evaluations.nfe(len(codes)),
                    role=Role.DIAGNOSTIC,
                    evidence=error.evidence,
                    note=error.note,
                )
            )
            numbers.append(reference.floor(name, statistic))
        return numbers


@dataclass(frozen=True, eq=False)
class _Reference:
    """True Gaussian codes, and the directions on which codes are projected.

    Attributes:
        directions: unit vectors, (k, d).
        draws: sets of n draws of N(0, I), each (n, d).
    """

    directions: Tensor
    draws: Sequence[Tensor]

    @staticmethod
    def of(draw: Draw, metric: CodeGaussianity) -> _Reference:
        n, k = draw.samples, metric.directions
        stream = NoiseStream(draw.seed, "probe", 0, max(n, k), (draw.dimension,), torch.float64)
        directions = stream.normal()[:k]
        draws = [stream.normal()[:n] for _ in range(metric.floors)]
        return _Reference(directions / directions.norm(dim=1, keepdim=True), draws)

    def statistics(self) -> Mapping[str, Statistic]:
        return {
            "code_mean": mean_deviation,
            "code_variance": variance_deviation,
            "code_kurtosis": kurtosis_deviation,
            "code_ks": KolmogorovSmirnov(self.directions),
            "code_energy": energy_distance,
        }

    def floor(self, name: str, statistic: Statistic) -> Measurement:
        values = torch.tensor([evaluate(statistic, z) for z in self.draws], dtype=torch.float64)
        return Measurement(
            f"{name}_gaussian",
            float(values.mean()),
            CodeGaussianity.unit,
            len(self.draws[0]),
            float(values.std()) / len(values) ** 0.5,
            role=Role.EXACT,
            belongs_to=name,
        )
