"""LD3: time steps learned through the whole path of the solver that will run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    FilePath,
    FixedTimes,
    NoiseProcess,
    Problem,
    Sampler,
    Time,
    TimeGrid,
    UnsupportedError,
    require,
)
from bench_plugins.learned.kept import Rows, learned_rows
from bench_plugins.learned.least_squares import levenberg_marquardt
from bench_plugins.learned.papers import TONG2025LEARNING
from bench_plugins.learned.teacher import fine_times, lessons, student_of

Lesson = tuple[Problem, Tensor, Tensor]


@dataclass(frozen=True)
class Ld3(TimeGrid):
    """The times at which the cell's solver, run to the end, comes nearest to a teacher.

    Steps of lambda have the lengths softmax(theta); theta minimises the mean square of
    Psi_theta(x'_T) - teacher(x_T) at s_min, from the ``karras`` grid on. As in the paper's relaxed
    objective, x'_T may differ from x_T by ``radius`` times the norm of the noise, and is learned
    along with theta; samples start from x_T all the same.

    Three things are not the paper's. Distances are L2, not LPIPS. Steps of solvers are functions
    of numbers here, so that the derivative in theta is taken by differences (one run of the solver
    for each step), which any solver allows, and used by Gauss and Newton's method instead of
    stochastic gradients; that in x'_T is the gradient through the whole loop. And the times at
    which the network is told it is are the grid's own: a grid does not reach the network; ``s4s``
    learns these.

    Attributes:
        samples: starts to learn from.
        iterations: steps of Gauss and Newton, each about (steps + 2) x steps x samples
            evaluations.
        radius: how far x'_T may go, as a share of the norm of x_T; 0: x'_T is x_T.
        fine_steps: steps of the teacher, Adams-Bashforth of order 4 in s on ``karras``.
        file: numbers that `bench calibrate` kept; nothing is learned then.
    """

    name: ClassVar[str] = "ld3"
    reference: ClassVar[str] = "Tong et al. 2025, arXiv:2405.15506, LD3"
    bibtex: ClassVar[str] = TONG2025LEARNING
    needs_calibration: ClassVar[bool] = True

    samples: int = 64
    iterations: int = 6
    radius: float = 0.0
    fine_steps: int = 60
    file: FilePath | None = None

    def __post_init__(self) -> None:
        require(self.samples >= 1, "samples must be >= 1")
        require(self.iterations >= 1, "iterations must be >= 1")
        require(0 <= self.radius < 1, "radius must lie in [0, 1)")
        require(self.fine_steps >= 1, "fine_steps must be >= 1")

    def calibrate(self, cell: Calibration) -> TimeGrid:
        return FixedTimes(self.times_of(cell, learned_rows(self, cell)))

    def times_of(self, cell: Calibration, rows: Rows) -> tuple[Time, ...]:
        if [len(row) for row in rows] != [cell.steps]:
            raise BenchError(
                f"grid 'ld3': its file has not a number for each of {cell.steps} steps"
            )
        return _times(cell, torch.tensor(rows[0], dtype=torch.float64))

    def learn(self, cell: Calibration) -> Rows:
        sampler = Sampler(student_of(cell, self.name), finish=False)
        theta = _of_karras(cell)
        if cell.steps == 1:
            return (tuple(theta.tolist()),)
        taught = lessons(cell, self.samples, self.fine_steps)
        given = [x for _, x, _ in taught]

        def residuals(values: Tensor) -> Tensor:
            return _residuals(sampler, taught, _times(cell, values))

        rounds = self.iterations if self.radius else 1
        for _ in range(rounds):
            theta = levenberg_marquardt(residuals, theta, self.iterations // rounds)
            if self.radius:
                times = _times(cell, theta)
                taught = [
                    (p, _nearer(sampler, p, x, end, start, times, self.radius), end)
                    for (p, x, end), start in zip(taught, given, strict=True)
                ]
        return (tuple(theta.tolist()),)

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        raise BenchError("grid 'ld3' must be calibrated first: use what `calibrate` returns")


def _of_karras(cell: Calibration) -> Tensor:
    lam = torch.tensor([time.lam for time in fine_times(cell, cell.steps)], dtype=torch.float64)
    return lam.diff().log()


def _times(cell: Calibration, theta: Tensor) -> tuple[Time, ...]:
    """The grid whose steps of lambda are proportional to exp(theta)."""
    shares = theta.softmax(0).cumsum(0)[:-1].tolist()
    high, low = math.log(cell.s_max), math.log(cell.s_min)
    inner = (cell.process.at_s(math.exp(high + share * (low - high))) for share in shares)
    return (cell.process.at_s(cell.s_max), *inner, cell.process.at_s(cell.s_min))


def _residuals(sampler: Sampler, taught: list[Lesson], times: tuple[Time, ...]) -> Tensor:
    """The solver's ends less the teacher's, in one row, float64."""
    gaps = [sampler.run(problem, x, times) - end for problem, x, end in taught]
    return torch.cat([gap.double().flatten() for gap in gaps])


def _nearer(
    sampler: Sampler,
    problem: Problem,
    x: Tensor,
    end: Tensor,
    start: Tensor,
    times: Any,
    radius: float,
) -> Tensor:
    """x'_T after one step of Polyak's length down the gradient, within its ball."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(True)
        error = (sampler.run(problem, leaf, times) - end).flatten(1).square().sum(1)
        if not error.requires_grad:
            raise UnsupportedError(
                f"grid 'ld3': solver '{sampler.stepper.name}' can not be differentiated, which "
                "radius > 0 needs"
            )
        (slope,) = torch.autograd.grad(error.sum(), leaf)
    rows = (-1, *(1,) * (x.ndim - 1))
    size = 0.5 * error.detach() / slope.flatten(1).square().sum(1).clamp_min(1e-30)
    away = x - size.reshape(rows) * slope - start
    limit = radius * start.flatten(1).norm(dim=1)
    short = (limit / away.flatten(1).norm(dim=1).clamp_min(1e-30)).clamp_max(1.0)
    nearer: Tensor = start + short.reshape(rows) * away
    return nearer
