"""Calibrates grid and solver, and holds both to their contracts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bench.core.calibration import Calibration
from bench.core.errors import BenchError
from bench.core.grid import TimeGrid
from bench.core.process import Time
from bench.core.sample import AnyStepper, Sampler


def calibrate(
    sampler: Sampler, grid: TimeGrid, cell: Calibration
) -> tuple[Sampler, tuple[Time, ...]]:
    """The sampler and the times to use: first the grid is calibrated, then the solver on it.

    Raises:
        BenchError: the grid or the solver breaks its contract.
    """
    stepper = sampler.stepper
    chosen = grid.calibrate(replace(cell, stepper=stepper))
    times = chosen.times(cell.process, cell.steps, cell.s_min, cell.s_max)
    _check_times(grid, times, cell)
    tuned = stepper.calibrate(replace(cell, times=times))
    _check_stepper(stepper, tuned, cell.steps)
    return replace(sampler, stepper=tuned), times


def _check_times(grid: TimeGrid, times: Sequence[Time], cell: Calibration) -> None:
    falling = all(then.s < now.s for now, then in pairwise(times))
    if len(times) != cell.steps + 1 or not falling:
        raise BenchError(
            f"grid '{grid.name}': {len(times)} times for {cell.steps} steps; it must return steps "
            "+ 1 times with falling noise"
        )
    ends, span = (times[-1].s, times[0].s), (cell.s_min, cell.s_max)
    if grid.spans and not all(
        math.isclose(s, t, rel_tol=1e-6) for s, t in zip(ends, span, strict=True)
    ):
        raise BenchError(
            f"grid '{grid.name}': goes from s = {ends[1]:g} to {ends[0]:g}, not from {span[1]:g} "
            f"to {span[0]:g} as asked; give it these ends, or declare `spans = False`"
        )


def _check_stepper(stepper: AnyStepper, tuned: AnyStepper, steps: int) -> None:
    before, after = [(one.name, one.cost(steps), one.depth(steps)) for one in (stepper, tuned)]
    if before != after:
        raise BenchError(
            f"solver '{stepper.name}': `calibrate` returned another method (name, cost, depth "
            f"{after} for {before}), and the budget was planned before it"
        )
