"""Steps of equal local error, found on a teacher's trajectories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    FixedTimes,
    NoiseProcess,
    Problem,
    Time,
    TimeGrid,
    combine,
    karras_times,
    require,
)
from bench_plugins.schedules.papers import DEBOOR1973GOOD

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EqualError(TimeGrid):
    """Points between which a method of order p makes local errors of one size.

    The local error of a step h of s is C h^(p + 1) |d^p eps / ds^p| (Euler: p = 1, C = 1/2), so
    that steps in which the density |d^p eps / ds^p|^(1 / (p + 1)) has equal integrals make equal
    errors. ``calibrate`` solves the ODE from ``samples`` noises by DPM-Solver++(2M) on the
    ``karras`` grid of ``fine_steps`` steps (one evaluation each, one more for the last point),
    takes the root mean square of divided differences of eps over samples and entries, and shares
    the integral out. It knows no global error: errors made early are as dear as those made late.

    Attributes:
        p: order of the method that the grid is for, 1 to 3.
        fine_steps: steps of the teacher, more than p; many more than the sampler takes.
        samples: trajectories over which errors are averaged.
        floor: density of what the karras grid would have, as a share of the whole: the safeguard
            against steps too long where eps hardly changes.
    """

    name: ClassVar[str] = "equal_error"
    reference: ClassVar[str] = "de Boor 1973, equidistribution; the local error of Euler's method"
    bibtex: ClassVar[str] = DEBOOR1973GOOD
    needs_calibration: ClassVar[bool] = True

    p: int = 1
    fine_steps: int = 80
    samples: int = 64
    floor: float = 0.1

    def __post_init__(self) -> None:
        require(1 <= self.p <= 3, "p must lie between 1 and 3")
        require(self.fine_steps > self.p, "fine_steps must be larger than p")
        require(self.samples >= 1, "samples must be >= 1")
        require(0 <= self.floor <= 1, "floor must lie between 0 and 1")

    def calibrate(self, cell: Calibration) -> TimeGrid:
        fine = karras_times(cell.process, self.fine_steps, cell.s_min, cell.s_max)
        squares = np.zeros(self.fine_steps + 1 - self.p)
        for problem, x in cell.starts(self.samples):
            squares += _derivatives(_slopes(problem, x, fine), fine, self.p)
        if not np.isfinite(squares).all():
            raise BenchError(
                f"grid '{self.name}': the teacher's path is not finite; raise fine_steps"
            )
        s = np.array([point.s for point in fine])
        places = np.array([s[i : i + self.p + 1].mean() for i in range(len(squares))])
        density = np.interp(-s, -places, squares ** (0.5 / (self.p + 1)))
        work = 0.5 * (density[1:] + density[:-1]) * -np.diff(s)
        even = np.full_like(work, 1 / len(work))
        share = even if work.sum() == 0 else work / work.sum()
        whole = np.concatenate([[0.0], np.cumsum((1 - self.floor) * share + self.floor * even)])
        marks = np.linspace(0, 1, cell.steps + 1)[1:-1] * whole[-1]
        inner = np.exp(np.interp(marks, whole, np.log(s)))
        levels = tuple(cell.process.at_s(float(level)) for level in inner)
        return FixedTimes((fine[0], *levels, fine[-1]))

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        raise BenchError(f"grid '{self.name}' must be calibrated first")


def _slopes(problem: Problem, x: Tensor, fine: tuple[Time, ...]) -> list[Tensor]:
    """eps at every point of ``fine`` along the teacher's trajectories."""
    slopes: list[Tensor] = []
    before, h_before = x, 0.0
    for i, now in enumerate(fine):
        d = problem.denoise(x, now)
        slopes.append(combine((1 / now.sigma, x), (-now.alpha / now.sigma, d)))
        if i + 1 < len(fine):
            then = fine[i + 1]
            h, keep = then.lam - now.lam, then.sigma / now.sigma
            gain = then.alpha - keep * now.alpha
            c = 0.5 * gain * h / h_before if i > 0 else 0.0
            x = combine((keep, x), (gain + c, d), (-c, before))
            before, h_before = d, h
    return slopes


def _derivatives(slopes: list[Tensor], fine: tuple[Time, ...], p: int) -> Array:
    """Sums over samples and entries of (d^p eps / ds^p)^2, from each p + 1 points."""
    values = torch.stack(slopes).double().flatten(1)
    s = torch.tensor([point.s for point in fine], dtype=torch.float64, device=values.device)
    for k in range(1, p + 1):
        values = k * values.diff(dim=0) / (s[k:] - s[:-k])[:, None]
    squares: Array = values.square().sum(1).cpu().numpy()
    return squares
