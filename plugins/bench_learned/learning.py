"""Calibrates the cells of a benchmark file as a run would, and keeps what was learned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from bench.api import (
    BenchError,
    Calibration,
    CountedDenoiser,
    TimeGrid,
    UnsupportedError,
    tf32,
)
from bench.core.metric import Trial
from bench.registry import Registry, load_registry, registry_of
from bench.run.cell import Cell
from bench.run.condition import model_of
from bench.run.machine import synchronise
from bench.run.runner import Request, plan_run
from bench.run.trial import set_up
from bench.run.unchanged import check_unchanged
from bench_plugins.learned.kept import Entry, Spent, make_entry

ONE = ("model", "task", "process", "guidance", "seed", "protocol")
"""Fields of cells that are the same in all cells of a file of learned numbers."""


def plan_learning(file: Path, only: Sequence[str], device: str) -> tuple[tuple[Cell, ...], str]:
    """The cells of ``file`` to calibrate, and the torch device.

    Raises:
        BenchError: bad input, nothing that learns, or cells that no one file can serve.
    """
    registry = load_registry()
    plan = plan_run(Request(file, Path("results"), tuple(only), device), registry)
    if plan.absent:
        raise BenchError(
            f"{file}: needs published files that are not here; `bench run` tells which"
        )
    cells = tuple(cell for cell in plan.wanted if any(map(_learns, _plugins(cell, registry))))
    if not cells:
        raise BenchError(f"{file}: no grid or solver of its cells has numbers to learn")
    for name in ONE:
        if any(getattr(cell, name) != getattr(cells[0], name) for cell in cells):
            raise BenchError(
                f"{file}: has cells of more than one {name}; learn for one in a file, with --only"
            )
    return cells, plan.device


def learn_cells(cells: Sequence[Cell], device: str) -> Iterator[tuple[Cell, list[Entry]]]:
    """The numbers that grid and solver of each cell learn; cells of equal steps learn once.

    Raises:
        BenchError: a cell is unsupported, or its calibration failed.
    """
    seen: set[tuple[object, ...]] = set()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the workers of a run, for the same last bits
    try:
        for cell in cells:
            with tf32(False), torch.no_grad():
                registry = registry_of(spec.source for spec in cell.plugins)
                check_unchanged(cell, registry)
                trial, steps = _trial(cell, registry, device)
                if (same := (cell.grid, cell.solver, steps)) not in seen:
                    seen.add(same)
                    yield cell, _learn(cell, trial, steps, registry)
    finally:
        torch.set_num_threads(threads)


def _plugins(cell: Cell, registry: Registry) -> list[Any]:
    if cell.budget is None or cell.grid is None:
        return []
    return [cell.grid.build(registry), cell.solver.build(registry)]


def _learns(plugin: Any) -> bool:
    """True for plugins that learn numbers which are not in a file already."""
    return hasattr(plugin, "learn") and not plugin.file


def _trial(cell: Cell, registry: Registry, device: str) -> tuple[Trial, int]:
    """The trial of the cell, before it is calibrated, and its steps."""
    model = model_of(cell, device)
    trial = set_up(replace(cell, budget=None), registry, model, torch.device(device)).trial
    if trial.sampler.price_at is not None:
        raise UnsupportedError(
            f"{cell.title}: the price of this guidance varies with the noise level, so that no "
            "number of steps is known to learn for"
        )
    return trial, trial.sampler.steps_for(cast(int, cell.budget))


def _learn(cell: Cell, trial: Trial, steps: int, registry: Registry) -> list[Entry]:
    """The entries of grid and solver, in the host's order: the grid's times first."""
    grid, solver = _plugins(cell, registry)
    low, high = trial.span
    counted = CountedDenoiser(trial.model.denoiser, shard=cell.protocol.shard)
    process = trial.process
    on = Calibration(process, counted, low, high, steps, trial.draw)
    chosen, entries = replace(on, stepper=solver), []
    origin = {
        name: spec.label() for name in ONE[:4] if (spec := getattr(cell, name)) is not None
    } | {"weights": trial.model.weights, "seed": str(cell.seed), "dtype": cell.protocol.dtype}
    if _learns(grid):
        entries.append(_entry(grid, chosen, origin))
        times = grid.times_of(chosen, entries[0].numbers)
    else:
        times = cast(TimeGrid, grid).calibrate(chosen).times(process, steps, low, high)
    if _learns(solver):
        entries.append(_entry(solver, replace(on, times=tuple(times)), origin))
    return entries


def _entry(plugin: Any, on: Calibration, origin: dict[str, str]) -> Entry:
    spent, begin = on.model.evaluations, time.perf_counter()
    rows, vjps = spent.rows, spent.vjp_rows
    numbers = plugin.learn(on)
    synchronise(on.draw.device)
    seconds = time.perf_counter() - begin
    cost = Spent(spent.rows - rows, spent.vjp_rows - vjps, round(seconds, 3))
    return make_entry(plugin, on, numbers, cost, origin)
