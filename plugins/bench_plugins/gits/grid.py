"""Time steps found by dynamic programming on a teacher's trajectories."""

from __future__ import annotations

from collections.abc import Sequence
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
    UnsupportedError,
    adams_weights,
    combine,
    karras_times,
    require,
)
from bench_plugins.gits.papers import CHEN2024TRAJECTORY

Costs = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gits(TimeGrid):
    """The points of a fine grid between which Euler's steps stray least from a teacher's path.

    ``calibrate`` solves the ODE in y = x / alpha from ``samples`` noises on the ``karras`` grid of
    ``fine_steps`` steps, one evaluation each: ``fine_steps`` x ``samples`` in all. A step from
    point i to point j costs the mean distance of y_i + (s_j - s_i) eps_i from the teacher's y_j,
    which takes no further evaluation. The path that minimises the sum of gamma^k cost_k over its
    steps k = 0, 1, .. is the grid, whichever solver then runs on it. In y all processes share it.

    The teacher is Adams-Bashforth of order 4 in s: the authors' iPNDM with weights for the true,
    unequal steps. Their code takes 256 samples, and by default costs of another kind, distances
    from the chord of the trajectory.

    Attributes:
        fine_steps: steps of the teacher, at least as many as the sampler's; 60 in the paper.
        samples: trajectories over which costs are averaged.
        gamma: weight of a step's cost relative to that of the step before: above 1, late errors
            count more. 1.15 is the default of the authors' code.
    """

    name: ClassVar[str] = "gits"
    reference: ClassVar[str] = "Chen et al. 2024, arXiv:2405.11326, GITS"
    bibtex: ClassVar[str] = CHEN2024TRAJECTORY
    needs_calibration: ClassVar[bool] = True

    fine_steps: int = 60
    samples: int = 64
    gamma: float = 1.15

    def __post_init__(self) -> None:
        require(self.fine_steps >= 1, "fine_steps must be >= 1")
        require(self.samples >= 1, "samples must be >= 1")
        require(self.gamma > 0, "gamma must be > 0")

    def calibrate(self, cell: Calibration) -> TimeGrid:
        if cell.steps > self.fine_steps:
            raise UnsupportedError(
                f"grid 'gits': chooses {cell.steps} steps among fine_steps = {self.fine_steps}; "
                "raise fine_steps"
            )
        fine = karras_times(cell.process, self.fine_steps, cell.s_min, cell.s_max)
        costs = np.sum([_costs(*start, fine) for start in cell.starts(self.samples)], axis=0)
        if not np.isfinite(costs).all():
            raise BenchError("grid 'gits': the teacher's path is not finite; raise fine_steps")
        return FixedTimes(tuple(fine[i] for i in cheapest(costs, cell.steps, self.gamma)))

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        raise BenchError("grid 'gits' must be calibrated first: use what `calibrate` returns")


def cheapest(costs: Costs, steps: int, gamma: float) -> list[int]:
    """The path 0 = i_0 < i_1 < .. < i_steps = last that minimises sum_k gamma^k costs[i_k, i_k+1].

    ``costs`` is square; only entries above the diagonal matter.
    """
    steps_of = np.where(np.triu(np.ones_like(costs, dtype=bool), 1), costs, np.inf)
    left = steps_of[:, -1]  # least cost from each point to the last, in one step at first
    nexts = []
    for _ in range(steps - 1):
        totals = steps_of + gamma * left
        nexts.append(totals.argmin(1))
        left = totals.min(1)
    path = [0]
    for follow in reversed(nexts):
        path.append(int(follow[path[-1]]))
    return [*path, len(costs) - 1]


def _costs(problem: Problem, x: Tensor, fine: Sequence[Time]) -> Costs:
    """Sum over the samples of the distance of each Euler step from the teacher's trajectory."""
    levels = [point.s for point in fine]
    y = x / fine[0].alpha
    path, slopes = [y], list[Tensor]()
    for i, now in enumerate(fine[:-1]):
        slopes.append(problem.eps(y * now.alpha, now))
        known = slice(max(0, i - 3), i + 1)
        weights = adams_weights(tuple(levels[known]), now.s, levels[i + 1])
        y = combine((1.0, y), *zip(weights, slopes[known], strict=True))
        path.append(y)
    costs = np.zeros((len(fine), len(fine)))
    ends, s = torch.stack(path).flatten(2), torch.tensor(levels, dtype=y.dtype, device=y.device)
    for i, slope in enumerate(slopes):
        steps = s[i + 1 :, None, None] - s[i]
        gaps = ends[i] + steps * slope.flatten(1) - ends[i + 1 :]
        costs[i, i + 1 :] = gaps.norm(dim=2).double().sum(1).cpu().numpy()
    return costs
