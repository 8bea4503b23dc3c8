"""Runs one cell: build, load, calibrate, warm up, sample under the clock, measure, make rows.

A failure is a row. Nothing that a plugin does short of killing the process leaves this module as
an exception; what kills the process is turned into a row by ``bench.run.pool``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, cast

import torch

from bench.core.arithmetic import tf32
from bench.core.metric import Metric, Trial
from bench.core.model import CountedDenoiser
from bench.core.problem import Problem
from bench.registry import Registry, registry_of
from bench.run.attempt import attempt, explain
from bench.run.cell import Cell
from bench.run.columns import cost_columns, planned_columns, setup_columns
from bench.run.condition import load_model, model_of
from bench.run.fresh import runs_foreign_code
from bench.run.machine import Machine
from bench.run.measure import Measuring
from bench.run.paths import draw_paths
from bench.run.rows import CellResult, evidence_of, failure, metric_rows
from bench.run.sampling import sample, warm_up
from bench.run.trial import Setup, set_up
from bench.run.unchanged import check_unchanged
from bench.state.weights import Weights

if TYPE_CHECKING:
    from bench.results.path_file import Paths


def run_cell(cell: Cell, machine: Machine, with_paths: bool = True) -> CellResult:
    """Run one cell on this process's device and return its rows.

    Args:
        cell, machine: what is run, and where.
        with_paths: draw the paths of its process too, which takes a second; once is enough.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        # float32 is float32 on GPUs too, in backward passes as well: a model that wants TF32 asks.
        with tf32(False), torch.no_grad():
            registry = registry_of(spec.source for spec in cell.plugins)
            check_unchanged(cell, registry)
            return _run(cell, machine, started, registry, with_paths)
    except (Exception, SystemExit) as error:
        return failure(cell, machine, *explain(error), started)


def _run(
    cell: Cell, machine: Machine, started: str, registry: Registry, with_paths: bool
) -> CellResult:
    shard = cell.protocol.shard
    begin = time.perf_counter()
    model = model_of(cell, machine.device)
    load_wall = time.perf_counter() - begin
    weights = Weights.of(model if runs_foreign_code(cell, registry) else None)
    setup = set_up(cell, registry, model, torch.device(machine.device))
    trial = setup.trial
    warm_up(trial, shard)
    metrics = [cast(Metric, spec.build(registry)) for spec in cell.metrics]
    sampled = sample(trial, shard, Measuring.start(metrics, trial))
    begin = time.perf_counter()
    measured = sampled.measuring.finish(trial)
    metric_wall = sampled.metric_wall_s + time.perf_counter() - begin
    base = {
        **planned_columns(cell, machine, started),
        **setup_columns(setup, "; ".join([*cell.doubts, *_notes(setup, weights)])),
        **cost_columns(cell, trial, sampled.cost),
        "load_wall_s": load_wall,
        "metric_wall_s": metric_wall,
    }
    params = [spec.changed.json for spec in cell.metrics]
    rows = [
        row
        for metric, changed, numbers in zip(metrics, params, measured, strict=True)
        for row in metric_rows(base, metric, changed, numbers)
    ]
    paths = _paths(cell, trial, machine.device) if with_paths else None
    kept, evidence = sampled.kept, evidence_of(params, measured)
    return CellResult(cell.key, rows, kept.samples(), evidence, paths, kept.answers())


def _paths(cell: Cell, trial: Trial, device: str) -> Paths | None:
    """A picture, not a number: where it cannot be drawn, the cell has all else."""
    like = torch.empty(0, device=trial.draw.device, dtype=trial.draw.dtype)
    loaded = load_model(cell.model, device, cell.protocol.dtype)
    return attempt(partial(draw_paths, cell.model, cell.process, loaded, like)).value


def _notes(setup: Setup, weights: Weights) -> Iterator[str]:
    """Remarks for readers of the numbers: on the grid, the sampler and the model."""
    trial, spent = setup.trial, setup.calibration
    if spent.evaluations:
        backward = f" and {spent.vjps} vector-Jacobian products" if spent.vjps else ""
        yield (
            f"it was calibrated with {spent.evaluations} network evaluations{backward} in all, "
            "which are no part of the NFE"
        )
    if own := trial.sampler.stepper.note():
        yield own
    if trial.sampler.corrector is not None:
        counted = CountedDenoiser(trial.model.denoiser)
        problem = Problem(trial.process, counted, log_prob=trial.log_prob)
        note = trial.sampler.corrector.note(problem)
        if note:
            yield note
    written = weights.count_changes()
    if written:
        yield f"the cell wrote into {written} of the model's {len(weights.tensors)} tensors"
