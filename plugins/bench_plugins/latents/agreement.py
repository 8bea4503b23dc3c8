"""Uniqueness of codes: one datum, one code, whatever the solver, the process and the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Draw,
    FilePath,
    Measurement,
    Model,
    Role,
    ScoreModel,
    SolverMetric,
    Trial,
    UnsupportedError,
    code_identity,
    make_plugin,
    paper,
    require,
)
from bench_plugins.latents.coder import Coder, data_model
from bench_plugins.latents.converged import ConvergedCodes, converge, encode_by_kutta
from bench_plugins.latents.differences import relative_distances, summarise
from bench_plugins.latents.points import Points, data_points


@dataclass(frozen=True)
class CodeAgreement(SolverMetric):
    """Agreement of the codes of the same data between solvers, processes and networks.

    ``code_error``: the mean over data points of ||z - z*|| / ||z*||, where z* is the code of the
    converged ODE. In normalised coordinates all processes share that ODE, so that one z* serves
    them all, and cells of different solvers and processes agree as far as each agrees with it.
    ``code_error_reference`` estimates the error of z* itself.

    With ``other``, a second model of the same data is held against this one by the cell's solver
    and grid: ``code_correlation``, the mean over data points of the correlation of the two codes'
    entries about their mean 0 under N(0, I) (the cosine of their angle), and ``code_distance``, the
    mean of ||z_other - z|| / ||z||. Beside them stand ``code_correlation_shuffled`` and
    ``code_distance_shuffled``, with the code of the next datum in place of the same one's.

    Attributes:
        points: number of data points (or as many as there are).
        other: name of the second model; "" for none.
        weights: the file of the second model, its parameter `weights` or `path`; "" for that
            model's default.
        reference_steps: Runge-Kutta steps of the converged codes (4 evaluations each), even.
    """

    name: ClassVar[str] = "code_agreement"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Section 4.3 and Appendix D.5"
    bibtex: ClassVar[str] = paper("song2021score")
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "agreement of latent codes"

    points: int = 64
    other: str = ""
    weights: FilePath = ""
    reference_steps: int = 64

    def __post_init__(self) -> None:
        require(self.points >= 2, "points must be >= 2")
        require(
            self.reference_steps >= 2 and self.reference_steps % 2 == 0,
            "reference_steps must be even and >= 2",
        )
        require(not self.weights or bool(self.other), "weights are of a model that other names")

    def fingerprint(self) -> str:
        """Identity of the second model's code, with the files of its package."""
        return code_identity(type(self._second()).__module__) if self.other else ""

    def _second(self) -> Model:
        default = make_plugin(Model, self.other, {})
        if not self.weights:
            return default
        names = {item.name for item in fields(default)}  # type: ignore[arg-type]
        key = "path" if "path" in names else "weights"
        return make_plugin(Model, self.other, {key: self.weights})

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        coder = Coder.of(trial, self.name)
        points = data_points(trial.model, trial.draw, self.points, coder.span[0])
        counted = CountedDenoiser(trial.model.denoiser)
        codes = _encode(coder, trial.model, counted, points)
        known = _converge(trial.model, points.draw, self, coder.span)
        error = relative_distances(codes, known.codes)
        numbers = [
            summarise("code_error", error, Role.ERROR, counted, points.digest),
            Measurement(
                "code_error_reference",
                known.error,
                self.unit,
                len(codes),
                role=Role.REFERENCE,
                belongs_to="code_error",
            ),
        ]
        if self.other:
            numbers += self._between_models(trial, coder, points, codes)
        return numbers

    def _between_models(
        self, trial: Trial, coder: Coder, points: Points, codes: Tensor
    ) -> list[Measurement]:
        draw = trial.draw
        second = self._second().load(draw.device, draw.dtype)
        _check_fit(second, trial.model, coder.span, self.other)
        counted = CountedDenoiser(second.denoiser)
        others = _encode(coder, second, counted, points)
        shuffled = others.roll(1, 0)
        pairs = {
            "code_correlation": _correlations(codes, others),
            "code_distance": relative_distances(others, codes),
        }
        controls = {
            "code_correlation": _correlations(codes, shuffled),
            "code_distance": relative_distances(shuffled, codes),
        }
        return [
            number
            for name, values in pairs.items()
            for number in (
                summarise(name, values, Role.DIAGNOSTIC, counted, second.weights),
                summarise(f"{name}_shuffled", controls[name], Role.DIAGNOSTIC, belongs_to=name),
            )
        ]


def _encode(coder: Coder, model: ScoreModel, counted: CountedDenoiser, points: Points) -> Tensor:
    own = data_model(model, counted)
    parts = [points.y[first : first + count] for first, count in points.draw.slices()]
    return torch.cat([coder.encode(own, y) for y in parts])


@lru_cache(maxsize=4)
def _converge(
    model: ScoreModel, draw: Draw, metric: CodeAgreement, span: tuple[float, float]
) -> ConvergedCodes:
    points = data_points(model, draw, metric.points, span[0])
    own = data_model(model, CountedDenoiser(model.denoiser))
    return converge(
        lambda steps: encode_by_kutta(own, points.y, span, steps), metric.reference_steps
    )


def _check_fit(second: ScoreModel, first: ScoreModel, span: tuple[float, float], name: str) -> None:
    """Refuse a second model of other data, or of other noise levels."""
    if second.shape != first.shape or second.target.data != first.target.data:
        raise UnsupportedError(
            f"code_agreement: '{name}' is of {second.target.data} {second.shape}, this model of "
            f"{first.target.data} {first.shape}; codes of the same data agree"
        )
    slack = 1e-9
    if second.s_min > span[0] * (1 + slack) or second.s_max < span[1] * (1 - slack):
        raise UnsupportedError(
            f"code_agreement: '{name}' knows s from {second.s_min:g} to {second.s_max:g}, the grid "
            f"goes from {span[1]:g} to {span[0]:g}; set s_min and s_max"
        )


def _correlations(a: Tensor, b: Tensor) -> Tensor:
    """Correlation about 0 over the entries of each pair of rows, (n,), float64 on the CPU."""
    a, b = (item.flatten(1).double().cpu() for item in (a, b))
    return torch.cosine_similarity(a, b, eps=0.0)
