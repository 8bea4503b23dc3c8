"""Codes of data and data of codes: the probability-flow ODE in both directions of time.

The code of a point y at noise level s_min is z = y_T / s_T, where y_T solves the ODE from y up to
s_T = s_max; data are decoded by the same solver on the same grid (Song et al. 2021,
arXiv:2011.13456, Section 4.3). z is in the units of N(0, I) under every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from bench.api import (
    Conditional,
    CountedDenoiser,
    Denoiser,
    NoiseProcess,
    OdeSolver,
    Problem,
    ScoreModel,
    Time,
    Trial,
    UnsupportedError,
)


@dataclass(frozen=True)
class Coder:
    """An ODE solver on a grid, with which points become codes and codes points.

    Attributes:
        process: in its coordinates the solver works; codes depend on it by the solver's error only.
        solver: any solver of the probability-flow ODE.
        times: the grid, with decreasing noise; encoding goes through it backwards.
    """

    process: NoiseProcess
    solver: OdeSolver[Any]
    times: tuple[Time, ...]

    @staticmethod
    def of(trial: Trial, metric: str) -> Coder:
        """The cell's own solver on its own grid.

        Raises:
            UnsupportedError: the sampler is stochastic, or the grid leaves out a part.
        """
        solver = trial.ode_solver(
            metric, "needs an ODE solver: a stochastic sampler gives a code no one point"
        )
        return Coder(trial.process, solver, tuple(trial.times))

    @property
    def span(self) -> tuple[float, float]:
        """The noise-to-signal ratios (s_min, s_max)."""
        return self.times[-1].s, self.times[0].s

    def encode(self, model: Denoiser, y: Tensor) -> Tensor:
        """The codes z of points ``y`` at noise level s_min, both (n, *shape)."""
        rising = self.times[::-1]
        end = self.solver.solve(self._problem(model), y * rising[0].alpha, rising)
        return end / rising[-1].sigma

    def decode(self, model: Denoiser, z: Tensor) -> Tensor:
        """The points y at noise level s_min of codes ``z``, both (n, *shape)."""
        end = self.solver.solve(self._problem(model), z * self.times[0].sigma, self.times)
        return end / self.times[-1].alpha

    def _problem(self, model: Denoiser) -> Problem:
        # A model of samples with classes of their own has to be told of which ones a row is.
        return Problem(self.process, model, select=getattr(model, "of_rows", None))


def data_model(model: ScoreModel, counted: CountedDenoiser) -> CountedDenoiser:
    """The denoiser for data, whose classes are not known.

    Raises:
        UnsupportedError: the model's samples have classes of their own.
    """
    if isinstance(model.denoiser, Conditional) and model.denoiser.label is None:
        raise UnsupportedError(
            "the classes of the data are not known to the model; set its parameter label"
        )
    return counted
