"""Sets up the sampling of a cell: sampler, range of noise levels, calibrated grid."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, cast

import torch

from bench.core.calibrate import calibrate
from bench.core.calibration import Calibration
from bench.core.errors import BenchError, UnsupportedError
from bench.core.grid import TimeGrid
from bench.core.guided import GuidedModel
from bench.core.metric import Trial
from bench.core.model import CountedDenoiser
from bench.core.process import NoiseProcess
from bench.core.sample import Draw, Sampler
from bench.core.solver import Corrector
from bench.core.target import ScoreModel
from bench.registry import Registry
from bench.run.cell import Cell
from bench.run.condition import check_fit
from bench.run.machine import synchronise
from bench.run.unchanged import check_fingerprint


@dataclass(frozen=True)
class CalibrationCost:
    """The cost of calibrating grid and solver, before sampling.

    Attributes:
        evaluations: network rows, in all.
        vjps: rows of gradients back through the network.
        wall_s: seconds.
    """

    evaluations: int = 0
    vjps: int = 0
    wall_s: float = 0.0


@dataclass(frozen=True)
class Setup:
    """A trial, ready to sample; ``steps`` is None for adaptive solvers."""

    trial: Trial
    steps: int | None = None
    calibration: CalibrationCost = CalibrationCost()


def set_up(cell: Cell, registry: Registry, model: ScoreModel, device: torch.device) -> Setup:
    """Build the plugins of a cell and calibrate its grid and its solver.

    Args:
        cell, registry, device: what is run, and where.
        model: that of the cell under its guidance (see `condition`).

    Raises:
        UnsupportedError: model, process and sampler do not fit, or no step is within budget.
        BenchError: the grid or the solver breaks its contract.
    """
    protocol = cell.protocol
    process = cast(NoiseProcess, cell.process.build(registry))
    s_min, s_max = _s_range(model, process, protocol.s_min, protocol.s_max)
    dtype = getattr(torch, protocol.dtype)
    trial = Trial(
        model,
        process,
        _sampler(cell, registry, model),
        (process.at_s(s_max), process.at_s(s_min)),
        Draw(cell.seed, protocol.samples, protocol.batch, model.shape, dtype, device),
        requested=(s_min, s_max),
        questions=model.denoiser.questions if isinstance(model.denoiser, GuidedModel) else None,
    )
    check_fit(trial)
    if cell.budget is None or cell.grid is None:
        return Setup(trial)
    grid = cast(TimeGrid, cell.grid.build(registry))
    steps = _steps_for(cell.budget, trial, grid)
    counted = CountedDenoiser(model.denoiser, shard=protocol.shard)
    on = Calibration(process, counted, s_min, s_max, steps, trial.draw)
    synchronise(device)
    begin = time.perf_counter()
    sampler, times = calibrate(trial.sampler, grid, on)
    synchronise(device)
    rows, vjps = counted.evaluations.rows, counted.evaluations.vjp_rows
    spent = CalibrationCost(rows, vjps, time.perf_counter() - begin if rows else 0.0)
    return Setup(replace(trial, sampler=sampler, times=times), steps, spent)


def _sampler(cell: Cell, registry: Registry, model: ScoreModel) -> Sampler:
    guided = model.denoiser if isinstance(model.denoiser, GuidedModel) else None
    solver = cell.solver.build(registry)
    check_fingerprint(cell.solver, solver)
    return Sampler(
        cast(Any, solver),
        cast(Corrector, cell.corrector.build(registry)) if cell.corrector else None,
        finish=cell.protocol.finish == "denoise",
        price=model.price,
        denoising=cell.denoising,
        price_at=guided.price_at if guided and guided.guidance.varies else None,
    )


def _steps_for(budget: int, trial: Trial, grid: TimeGrid) -> int:
    """The largest number of steps that the budget pays for."""
    sampler, process = trial.sampler, trial.process
    try:
        steps = sampler.steps_for(budget)
    except BenchError as error:
        raise UnsupportedError(str(error)) from None
    if sampler.price_at is None:
        return steps
    if type(grid).calibrate is not TimeGrid.calibrate:
        raise UnsupportedError(
            f"the price of this guidance varies with the noise level, so that the steps that fit "
            f"follow from the grid, and '{grid.name}' is calibrated for a number of steps"
        )
    # Where all levels cost the most, so many fit; where some cost less, or nothing, more do.
    while (
        steps < 64 * budget
        and sampler.cost_on(process, grid.times(process, steps + 1, *trial.span)) <= budget
    ):
        steps += 1
    return steps


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
