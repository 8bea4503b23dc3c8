"""The error of going to data and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    SHARD,
    CountedDenoiser,
    Measurement,
    Role,
    SolverMetric,
    Trial,
    UnsupportedError,
    paper,
    require,
)
from bench_plugins.latents.coder import Coder, data_model
from bench_plugins.latents.differences import relative_distances, summarise
from bench_plugins.latents.points import data_points


@dataclass(frozen=True)
class RoundTrip(SolverMetric):
    """Relative error of decoding and encoding again, by the cell's own solver and grid.

    ``round_trip_code``: prior noise z is decoded to y at s_min, y encoded to z'; the mean over
    samples of ||z' - z|| / ||z||. ``round_trip_data``: exact or held-out data y are encoded and
    decoded; the mean of ||y' - y|| / ||y||. Its place is empty, with the reason as a note of the
    other, where there are no data or their classes are not known. Each costs two paths, beside
    the samples' own.

    It falls with the steps at the solver's order p or faster: a one-step method of even p has
    order p + 1, since the leading errors of a step and of the step back cancel. A small round trip
    is no small error: a reversible method returns exactly from a wrong point.

    Attributes:
        samples: number of codes, and of data points (or as many as there are).
    """

    name: ClassVar[str] = "round_trip"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Section 4.3"
    bibtex: ClassVar[str] = paper("song2021score")
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "relative round-trip error"

    samples: int = 64

    def __post_init__(self) -> None:
        require(self.samples >= 1, "samples must be >= 1")

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        coder = Coder.of(trial, self.name)
        try:
            data = self._of_data(trial, coder)
        except UnsupportedError as reason:
            return [replace(self._of_codes(trial, coder), note=f"no round trip of data: {reason}")]
        return [self._of_codes(trial, coder), data]

    def _of_codes(self, trial: Trial, coder: Coder) -> Measurement:
        draw = replace(trial.draw, samples=self.samples, batch=SHARD)
        counted, parts = CountedDenoiser(trial.model.denoiser), list[Tensor]()
        for first, count in draw.slices():
            own = counted.of_samples(draw.seed, first, count, draw.device)
            z = draw.standard_prior(first, count)
            parts.append(relative_distances(coder.encode(own, coder.decode(own, z)), z))
        return summarise("round_trip_code", torch.cat(parts), Role.ERROR, counted)

    def _of_data(self, trial: Trial, coder: Coder) -> Measurement:
        points = data_points(trial.model, trial.draw, self.samples, coder.span[0])
        counted = CountedDenoiser(trial.model.denoiser)
        model, parts = data_model(trial.model, counted), list[Tensor]()
        for first, count in points.draw.slices():
            y = points.y[first : first + count]
            parts.append(relative_distances(coder.decode(model, coder.encode(model, y)), y))
        errors = torch.cat(parts)
        return summarise("round_trip_data", errors, Role.ERROR, counted, points.digest)
