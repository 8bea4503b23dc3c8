"""The measured order of convergence of an ODE solver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from bench.core.problem import Problem
from bench.core.solver import OdeSolver
from bench.testing.mixture import LineMixture
from bench.testing.plugins import grid_of, process_of

S_MIN, S_MAX = 0.05, 20.0

# Enough steps for the leading term of the error to rule, few enough to stay above round-off.
_STEPS = {1: (160, 320, 640), 2: (80, 160, 320), 4: (80, 120, 160, 240)}


def convergence_slope(steps: Sequence[int], errors: Sequence[float]) -> float:
    """The order p of errors ~ steps^-p, by least squares in the logarithms."""
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


def default_steps(order: int) -> Sequence[int]:
    """Numbers of steps that suit a claimed order."""
    return _STEPS.get(order, (40, 80, 160))


def measured_order(
    solver: OdeSolver[Any],
    process: str = "vp",
    grid: str = "karras",
    steps: Sequence[int] | None = None,
) -> float:
    """The order of ``solver`` on a mixture on the line, against the exact flow, in float64.

    Errors are medians over samples: a mean is ruled by the few samples that start next to a
    boundary between two Gaussians.

    Args:
        solver: an ODE solver with a fixed number of steps.
        process: name of a plugin; an order should show under more than one.
        grid: likewise.
        steps: numbers of steps; by default suited to the order that the solver claims.
    """
    mixture = LineMixture()
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    start, exact = mixture.quantile(u, S_MAX), mixture.quantile(u, S_MIN)
    noise_process, time_grid = process_of(process), grid_of(grid)
    problem = Problem(noise_process, mixture.denoise)
    counts = steps or default_steps(solver.order)
    errors = []
    for count in counts:
        times = time_grid.times(noise_process, count, S_MIN, S_MAX)
        end = solver.solve(problem, start * times[0].alpha, times) / times[-1].alpha
        errors.append(float((end - exact).abs().median()))
    return convergence_slope(counts, errors)
