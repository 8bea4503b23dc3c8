"""Runs one cell: build, load, calibrate, warm up, sample under the clock, measure, make rows.

A failure is a row. Nothing that a plugin does short of killing the process leaves this module as
an exception; what kills the process is turned into a row by ``bench.run.pool``.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import torch

from bench.core.arithmetic import tf32
from bench.core.calibration import Calibration
from bench.core.errors import BenchError, UnsupportedError
from bench.core.grid import TimeGrid
from bench.core.metric import (
    Accumulator,
    Measurement,
    Metric,
    SampleMetric,
    SolverMetric,
    Trial,
)
from bench.core.model import CountedDenoiser
from bench.core.noise import SHARD
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.sample import Batch, Draw, Sampler, generate
from bench.core.solver import Corrector
from bench.core.target import Model, ScoreModel
from bench.registry import Registry, registry_of
from bench.results.schema import Status
from bench.run.cell import Cell, PluginSpec
from bench.run.fresh import runs_foreign_code
from bench.run.machine import Machine, PeakMemory, synchronise
from bench.run.measurements import checked
from bench.run.outcome import DivergedError, Outcome, attempt, verdict
from bench.run.paths import paths
from bench.run.rows import (
    CalibrationCost,
    CellResult,
    Cost,
    base_row,
    cost_columns,
    evidence_of,
    failure,
    metric_rows,
    protocol_columns,
)
from bench.run.unchanged import check_fingerprint, check_unchanged
from bench.state.weights import Weights

if TYPE_CHECKING:
    import numpy as np

    from bench.results.path_file import Paths

SHOWN = 16
"""Samples of a cell that are kept for the report (images)."""
SHOWN_POINTS = 512
"""The same for points, which take little room."""


def run_cell(cell: Cell, machine: Machine, picture: bool = True) -> CellResult:
    """Run one cell on this process's device and return its rows.

    Args:
        cell, machine: what is run, and where.
        picture: whether the paths of its process are drawn, which takes a second; once is enough.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        # float32 is float32 on GPUs too, in backward passes as well: a model that wants TF32 asks.
        with tf32(False), torch.no_grad():
            registry = registry_of(spec.source for spec in cell.plugins)
            check_unchanged(cell, registry)
            return _Run(cell, machine, started, registry, picture).result()
    except (Exception, SystemExit) as error:
        return failure(cell, machine, *verdict(error), started)


@lru_cache(maxsize=2)
def _load_model(spec: PluginSpec, device: str, dtype: str) -> ScoreModel:
    model = cast(Model, spec.build(registry_of([spec.source])))
    check_fingerprint(spec, model)
    return model.load(torch.device(device), getattr(torch, dtype))


_Accumulators = Sequence[Outcome[Accumulator | None]]


@dataclass(frozen=True)
class _Run:
    cell: Cell
    machine: Machine
    started: str
    registry: Registry
    picture: bool

    def result(self) -> CellResult:
        protocol = json.loads(self.cell.protocol)
        begin = time.perf_counter()
        model = _load_model(self.cell.model, self.machine.device, protocol["dtype"])
        load_wall = time.perf_counter() - begin
        foreign = runs_foreign_code(self.cell, self.registry)
        weights = Weights.of(model if foreign else None)
        trial, steps, calibration = self._trial(model, protocol)
        _warm_up(trial, protocol["shard"])
        metrics = [cast(Metric, spec.build(self.registry)) for spec in self.cell.metrics]
        accumulators: _Accumulators = [
            attempt(partial(_start, metric, trial)) for metric in metrics
        ]
        cost, accumulators, shown, metric_wall = self._sample(
            trial, protocol["shard"], accumulators
        )
        begin = time.perf_counter()
        outcomes = [
            _finish(metric, accumulator, trial)
            for metric, accumulator in zip(metrics, accumulators, strict=True)
        ]
        metric_wall += time.perf_counter() - begin
        base = {
            **base_row(self.cell, self.machine, self.started),
            **protocol_columns(
                trial,
                steps,
                "; ".join([*self.cell.doubts, *_notes(trial, calibration, weights)]),
            ),
            **cost_columns(self.cell, trial, cost),
            **calibration.columns(),
            "load_wall_s": load_wall,
            "metric_wall_s": metric_wall,
        }
        rows = [
            row
            for metric, spec, outcome in zip(metrics, self.cell.metrics, outcomes, strict=True)
            for row in metric_rows(base, metric, spec.changed, outcome)
        ]
        evidence = evidence_of([spec.changed for spec in self.cell.metrics], outcomes)
        return CellResult(self.cell.key, rows, shown, evidence, self._paths(trial))

    def _paths(self, trial: Trial) -> Paths | None:
        """A picture, not a number: where it cannot be drawn, the cell has all else."""
        if not self.picture:
            return None
        like = torch.empty(0, device=trial.draw.device, dtype=trial.draw.dtype)
        draw = partial(paths, self.cell.model, self.cell.process, trial.model, like)
        return attempt(draw).value

    def _trial(
        self, model: ScoreModel, protocol: dict[str, Any]
    ) -> tuple[Trial, int | None, CalibrationCost]:
        cell, registry = self.cell, self.registry
        process = cast(NoiseProcess, cell.process.build(registry))
        sampler = Sampler(
            cast(Any, cell.solver.build(registry)),
            cast(Corrector, cell.corrector.build(registry)) if cell.corrector else None,
            finish=protocol["finish"] == "denoise",
            price=model.price,
        )
        s_min, s_max = _s_range(model, process, protocol["s_min"], protocol["s_max"])
        draw = Draw(
            cell.seed,
            protocol["samples"],
            protocol["batch"],
            model.shape,
            getattr(torch, protocol["dtype"]),
            torch.device(self.machine.device),
        )
        steps: int | None = None
        times: Sequence[Time] = (process.at_s(s_max), process.at_s(s_min))
        spent = CalibrationCost()
        if cell.budget is not None and cell.grid is not None:
            try:
                steps = sampler.steps_for(cell.budget)
            except BenchError as error:
                raise UnsupportedError(str(error)) from None
            counted = CountedDenoiser(model.denoiser, shard=protocol["shard"])
            grid, spent = _calibrated(
                cast(TimeGrid, cell.grid.build(registry)),
                Calibration(process, counted, s_min, s_max, steps, draw),
            )
            times = grid.times(process, steps, s_min, s_max)
            _check_grid(grid, times, steps, (s_min, s_max))
        return Trial(model, process, sampler, times, draw, asked=(s_min, s_max)), steps, spent

    def _sample(
        self, trial: Trial, shard: int, accumulators: _Accumulators
    ) -> tuple[Cost, _Accumulators, np.ndarray | None, float]:
        counted = CountedDenoiser(trial.model.denoiser, shard=shard)
        device = trial.draw.device
        wall = metric_wall = 0.0
        shown: list[Batch] = []
        most = SHOWN_POINTS if len(trial.draw.shape) == 1 else SHOWN
        memory = PeakMemory.start(device)
        batches = generate(
            trial.process, counted, trial.sampler, trial.times, trial.draw, trial.log_prob
        )
        for batch, seconds in _timed(batches, device):
            wall += seconds
            _check_finite(batch)
            begin = time.perf_counter()
            accumulators = [_add(accumulator, batch) for accumulator in accumulators]
            if batch.first < most:
                shown.append(replace(batch, x=batch.x[: most - batch.first].clone()))
            metric_wall += time.perf_counter() - begin
        evaluations = counted.evaluations
        declared = None if trial.sampler.adaptive else trial.sampler.cost(len(trial.times) - 1)
        samples = trial.draw.samples
        cost = Cost(evaluations.nfe(samples), declared, wall, evaluations.rows, memory.peak_mib())
        return cost, accumulators, _shown(shown, trial.model), metric_wall


def _timed(batches: Iterator[Batch], device: torch.device) -> Iterator[tuple[Batch, float]]:
    """Each batch with the seconds that it took, waited for to the end."""
    while True:
        synchronise(device)
        begin = time.perf_counter()
        try:
            batch = next(batches)
        except StopIteration:
            return
        synchronise(device)
        yield batch, time.perf_counter() - begin


def _add(accumulator: Outcome[Accumulator | None], batch: Batch) -> Outcome[Accumulator | None]:
    """The accumulator with the batch in it, or why it has none: other metrics go on."""
    if accumulator.value is None:
        return accumulator
    # A copy each: a metric that writes into its samples must not change those of the next.
    own = replace(batch, x=batch.x.clone())
    outcome = attempt(partial(accumulator.value.add, own))
    if outcome.status is Status.OK:
        return accumulator
    return Outcome(None, outcome.status, outcome.reason)


def _start(metric: Metric, trial: Trial) -> Accumulator | None:
    return metric.start(trial) if isinstance(metric, SampleMetric) else None


def _finish(
    metric: Metric, accumulator: Outcome[Accumulator | None], trial: Trial
) -> Outcome[Sequence[Measurement]]:
    if accumulator.status is not Status.OK:
        return Outcome(None, accumulator.status, accumulator.reason)
    measure = (
        accumulator.value.result
        if accumulator.value is not None
        else partial(cast(SolverMetric, metric).measure, trial)
    )
    return attempt(lambda: checked(metric.name, measure()))


def _s_range(
    model: ScoreModel, process: NoiseProcess, s_min: float | None, s_max: float | None
) -> tuple[float, float]:
    """The range of noise-to-signal ratios: what was asked, else what model and process share."""
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


def _notes(trial: Trial, calibration: CalibrationCost, weights: Weights) -> Iterator[str]:
    """What a reader of the numbers has to know of the sampler and the grid on this model."""
    if calibration.evaluations:
        yield (
            f"the grid was calibrated with {calibration.evaluations} network evaluations in all, "
            "which are no part of the NFE"
        )
    if trial.sampler.corrector is not None:
        counted = CountedDenoiser(trial.model.denoiser)
        problem = Problem(trial.process, counted, log_prob=trial.log_prob)
        note = trial.sampler.corrector.note(problem)
        if note:
            yield note
    written = weights.changed()
    if written:
        yield f"the cell wrote into {written} of the model's {len(weights.tensors)} tensors"


def _calibrated(grid: TimeGrid, cell: Calibration) -> tuple[TimeGrid, CalibrationCost]:
    """The grid to use, and what it cost to find it."""
    synchronise(cell.draw.device)
    begin = time.perf_counter()
    found = grid.calibrate(cell)
    synchronise(cell.draw.device)
    wall, rows = time.perf_counter() - begin, cell.model.evaluations.rows
    return found, CalibrationCost() if found is grid and rows == 0 else CalibrationCost(rows, wall)


def _check_grid(
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


def _warm_up(trial: Trial, shard: int) -> None:
    """Two of the sampler's steps on one shard, so that no import or set-up is timed."""
    # From end to end: some methods need certain levels to be passed.
    times: Sequence[Time] = (*trial.times[:-1][:2], trial.times[-1])
    if trial.sampler.adaptive:
        times = (trial.times[0], trial.process.at_s(0.9 * trial.times[0].s))
    draw = replace(trial.draw, samples=min(trial.draw.samples, SHARD), batch=SHARD)
    counted = CountedDenoiser(trial.model.denoiser, shard=shard)
    for _ in generate(trial.process, counted, trial.sampler, times, draw, trial.log_prob):
        pass


def _check_finite(batch: Batch) -> None:
    finite = torch.isfinite(batch.x).flatten(1).all(1)
    bad = int((~finite).sum())
    if bad:
        raise DivergedError(
            f"{bad} of {len(finite)} samples from number {batch.first} on are not finite"
        )


def _shown(batches: Sequence[Batch], model: ScoreModel) -> np.ndarray | None:
    x = torch.cat([batch.x for batch in batches])
    if model.target.discrete is not None:
        x = model.target.discrete.quantise(x[:SHOWN]).mul_(
            255 // (model.target.discrete.levels - 1)
        )
    elif x.ndim == 2:
        x = x[:SHOWN_POINTS].float()
    else:
        return None
    return x.cpu().numpy()
