"""Sets up the sampling of a cell: sampler, range of noise levels, calibrated grid."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch

from bench.core.calibration import Calibration
from bench.core.errors import BenchError, UnsupportedError
from bench.core.grid import TimeGrid
from bench.core.metric import Trial
from bench.core.model import CountedDenoiser
from bench.core.process import NoiseProcess, Time
from bench.core.sample import Draw, Sampler
from bench.core.solver import Corrector
from bench.core.target import ScoreModel
from bench.registry import Registry
from bench.run.cell import Cell
from bench.run.machine import synchronise


@dataclass(frozen=True)
class CalibrationCost:
    """The cost of a grid's calibration, before sampling.

    Attributes:
        evaluations: network rows, in all.
        wall_s: seconds.
    """

    evaluations: int = 0
    wall_s: float = 0.0


@dataclass(frozen=True)
class Setup:
    """A trial, ready to sample; ``steps`` is None for adaptive solvers."""

    trial: Trial
    steps: int | None = None
    calibration: CalibrationCost = CalibrationCost()


def set_up(cell: Cell, registry: Registry, model: ScoreModel, device: torch.device) -> Setup:
    """Build the plugins of a cell and calibrate its grid.

    Raises:
        UnsupportedError: model, process and sampler do not fit, or no step is within budget.
        BenchError: the grid breaks its contract.
    """
    protocol = cell.protocol
    process = cast(NoiseProcess, cell.process.build(registry))
    sampler = Sampler(
        cast(Any, cell.solver.build(registry)),
        cast(Corrector, cell.corrector.build(registry)) if cell.corrector else None,
        finish=protocol.finish == "denoise",
        price=model.price,
    )
    s_min, s_max = _s_range(model, process, protocol.s_min, protocol.s_max)
    dtype = getattr(torch, protocol.dtype)
    draw = Draw(cell.seed, protocol.samples, protocol.batch, model.shape, dtype, device)
    if cell.budget is None or cell.grid is None:
        ends = process.at_s(s_max), process.at_s(s_min)
        return Setup(Trial(model, process, sampler, ends, draw, requested=(s_min, s_max)))
    try:
        steps = sampler.steps_for(cell.budget)
    except BenchError as error:
        raise UnsupportedError(str(error)) from None
    counted = CountedDenoiser(model.denoiser, shard=protocol.shard)
    grid, spent = _calibrate(
        cast(TimeGrid, cell.grid.build(registry)),
        Calibration(process, counted, s_min, s_max, steps, draw),
    )
    times = grid.times(process, steps, s_min, s_max)
    _check_times(grid, times, steps, (s_min, s_max))
    return Setup(
        Trial(model, process, sampler, times, draw, requested=(s_min, s_max)), steps, spent
    )


def _s_range(
    model: ScoreModel, process: NoiseProcess, s_min: float | None, s_max: float | None
) -> tuple[float, float]:
    """The range of noise-to-signal ratios: the protocol's, else what model and process share."""
    low, high = process.s_range
    lowest, highest = max(model.s_min, low), min(model.s_max, high)
    s_min, s_max = s_min or lowest, s_max or highest
    slack = 1e-9  # a process's own end points carry round-off
    if s_min < lowest * (1 - slack) or s_max > highest * (1 + slack) or s_min >= s_max:
        raise UnsupportedError(
            f"s from {s_min:g} to {s_max:g} was asked, but the model covers {model.s_min:g} to "
            f"{model.s_max:g} and process '{process.name}' {low:g} to {high:g}"
        )
    return s_min, s_max


def _calibrate(grid: TimeGrid, on: Calibration) -> tuple[TimeGrid, CalibrationCost]:
    """The grid to use, and the cost to find it."""
    synchronise(on.draw.device)
    begin = time.perf_counter()
    found = grid.calibrate(on)
    synchronise(on.draw.device)
    wall, rows = time.perf_counter() - begin, on.model.evaluations.rows
    return found, CalibrationCost() if found is grid and rows == 0 else CalibrationCost(rows, wall)


def _check_times(
    grid: TimeGrid, times: Sequence[Time], steps: int, span: tuple[float, float]
) -> None:
    falling = all(then.s < now.s for now, then in pairwise(times))
    if len(times) != steps + 1 or not falling:
        raise BenchError(
            f"grid '{grid.name}': {len(times)} times for {steps} steps; it must return steps + 1 "
            "times with falling noise"
        )
    ends = times[-1].s, times[0].s
    if grid.spans and not all(
        math.isclose(s, t, rel_tol=1e-6) for s, t in zip(ends, span, strict=True)
    ):
        raise BenchError(
            f"grid '{grid.name}': goes from s = {ends[1]:g} to {ends[0]:g}, not from {span[1]:g} "
            f"to {span[0]:g} as asked; give it these ends, or declare `spans = False`"
        )
