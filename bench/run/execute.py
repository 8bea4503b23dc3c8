"""Runs one cell: build, load, warm up, sample under the clock, measure, and make rows of it.

A failure is a row. Nothing that a plugin does short of killing the process leaves this module as
an exception; what kills the process is turned into a row by ``bench.run.pool``.
"""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import torch

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
from bench.core.process import NoiseProcess, Time
from bench.core.sample import Batch, Draw, Sampler, generate
from bench.core.solver import Corrector
from bench.core.target import Model, ScoreModel
from bench.registry import Registry, load_registry
from bench.run.cell import Cell, PluginSpec, canonical
from bench.run.machine import Machine, PeakMemory, synchronise
from bench.run.schema import Status
from bench.run.store import Row

if TYPE_CHECKING:
    import numpy as np

SHOWN = 16
"""Samples of a cell that are kept for the report (images)."""
SHOWN_POINTS = 512
"""The same for points, which take little room."""

P = TypeVar("P")


@dataclass(frozen=True)
class CellResult:
    """What one cell leaves behind."""

    key: str
    rows: Sequence[Row]
    samples: np.ndarray | None = None

    @property
    def status(self) -> Status:
        """The worst status of the rows."""
        found = {Status(row["status"]) for row in self.rows}
        order = (Status.TIMEOUT, Status.FAILED, Status.DIVERGED, Status.OK, Status.UNSUPPORTED)
        return next(status for status in order if status in found)

    @property
    def reason(self) -> str:
        """The first reason given."""
        return next((row["reason"] for row in self.rows if row["reason"]), "")


class DivergedError(Exception):
    """Samples that are not finite."""


def run_cell(cell: Cell, machine: Machine) -> CellResult:
    """Run one cell on this process's device and return its rows."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with torch.no_grad():
            return _Run(cell, machine, started, load_registry()).result()
    except (Exception, SystemExit) as error:
        return failure(cell, machine, *_verdict(error), started)


def failure(cell: Cell, machine: Machine, status: Status, reason: str, started: str) -> CellResult:
    """The rows of a cell that has no samples: one for each metric that was asked for."""
    base = base_row(cell, machine, started)
    rows = [
        {**base, "metric": m.name, "status": status.value, "reason": reason} for m in cell.metrics
    ]
    return CellResult(cell.key, rows)


def _verdict(error: BaseException) -> tuple[Status, str]:
    """Status and one-line reason of an exception."""
    if isinstance(error, UnsupportedError):
        return Status.UNSUPPORTED, str(error)
    if isinstance(error, DivergedError):
        return Status.DIVERGED, str(error)
    if isinstance(error, BenchError):
        return Status.FAILED, str(error)
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return Status.FAILED, f"out of memory: {_line(error)}; use a smaller batch"
    if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):  # torch on a CPU
        return Status.FAILED, f"out of memory: {_line(error)}; use a smaller batch"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
    return Status.FAILED, f"{type(error).__name__}: {_line(error)}{where}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]


@lru_cache(maxsize=2)
def _load_model(spec: PluginSpec, device: str, dtype: str) -> ScoreModel:
    model = cast(Model, spec.build(load_registry()))
    return model.load(torch.device(device), getattr(torch, dtype))


@dataclass(frozen=True)
class _Outcome(Generic[P]):
    """A value, or why there is none."""

    value: P | None
    status: Status = Status.OK
    reason: str = ""


_Accumulators = Sequence[_Outcome[Accumulator | None]]


def _attempt(make: Callable[[], P]) -> _Outcome[P]:
    """Guard one metric, so that the others of the cell get their chance."""
    try:
        return _Outcome(make())
    except (Exception, SystemExit) as error:
        return _Outcome(None, *_verdict(error))


@dataclass(frozen=True)
class _Cost:
    """What sampling cost."""

    nfe: float
    declared: int | None
    wall_s: float
    rows: int
    peak_mib: float


@dataclass(frozen=True)
class _Run:
    cell: Cell
    machine: Machine
    started: str
    registry: Registry

    def result(self) -> CellResult:
        protocol = json.loads(self.cell.protocol)
        begin = time.perf_counter()
        model = _load_model(self.cell.model, self.machine.device, protocol["dtype"])
        load_wall = time.perf_counter() - begin
        trial, steps = self._trial(model, protocol)
        _warm_up(trial, protocol["shard"])
        metrics = [cast(Metric, spec.build(self.registry)) for spec in self.cell.metrics]
        accumulators: _Accumulators = [
            _attempt(partial(_start, metric, trial)) for metric in metrics
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
            **_protocol_columns(trial, steps),
            **_cost_columns(self.cell, trial, cost),
            "load_wall_s": load_wall,
            "metric_wall_s": metric_wall,
        }
        rows = [
            row
            for metric, outcome in zip(metrics, outcomes, strict=True)
            for row in _metric_rows(base, metric, outcome)
        ]
        return CellResult(self.cell.key, rows, shown)

    def _trial(self, model: ScoreModel, protocol: dict[str, Any]) -> tuple[Trial, int | None]:
        cell, registry = self.cell, self.registry
        process = cast(NoiseProcess, cell.process.build(registry))
        sampler = Sampler(
            cast(Any, cell.solver.build(registry)),
            cast(Corrector, cell.corrector.build(registry)) if cell.corrector else None,
            finish=protocol["finish"] == "denoise",
        )
        s_min, s_max = _s_range(model, process, protocol["s_min"], protocol["s_max"])
        steps: int | None = None
        times: Sequence[Time] = (process.at_s(s_max), process.at_s(s_min))
        if cell.budget is not None and cell.grid is not None:
            try:
                steps = sampler.steps_for(cell.budget)
            except BenchError as error:
                raise UnsupportedError(str(error)) from None
            grid = cast(TimeGrid, cell.grid.build(registry))
            times = grid.times(process, steps, s_min, s_max)
            _check_grid(grid, times, steps)
        draw = Draw(
            cell.seed,
            protocol["samples"],
            protocol["batch"],
            model.shape,
            getattr(torch, protocol["dtype"]),
            torch.device(self.machine.device),
        )
        return Trial(model, process, sampler, times, draw), steps

    def _sample(
        self, trial: Trial, shard: int, accumulators: _Accumulators
    ) -> tuple[_Cost, _Accumulators, np.ndarray | None, float]:
        counted = CountedDenoiser(trial.model.denoiser, shard=shard)
        device = trial.draw.device
        wall = metric_wall = 0.0
        shown: list[Batch] = []
        memory = PeakMemory.start(device)
        batches = generate(trial.process, counted, trial.sampler, trial.times, trial.draw)
        for batch, seconds in _timed(batches, device):
            wall += seconds
            _check_finite(batch)
            begin = time.perf_counter()
            accumulators = [_add(accumulator, batch) for accumulator in accumulators]
            if batch.first < SHOWN_POINTS:
                shown.append(batch)
            metric_wall += time.perf_counter() - begin
        evaluations = counted.evaluations
        declared = None if trial.sampler.adaptive else trial.sampler.cost(len(trial.times) - 1)
        samples = trial.draw.samples
        cost = _Cost(evaluations.nfe(samples), declared, wall, evaluations.rows, memory.peak_mib())
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


def _add(accumulator: _Outcome[Accumulator | None], batch: Batch) -> _Outcome[Accumulator | None]:
    """The accumulator with the batch in it, or why it has none: other metrics go on."""
    if accumulator.value is None:
        return accumulator
    # A copy each: a metric that writes into its samples must not change those of the next.
    own = replace(batch, x=batch.x.clone())
    outcome = _attempt(partial(accumulator.value.add, own))
    if outcome.status is Status.OK:
        return accumulator
    return _Outcome(None, outcome.status, outcome.reason)


def _start(metric: Metric, trial: Trial) -> Accumulator | None:
    return metric.start(trial) if isinstance(metric, SampleMetric) else None


def _finish(
    metric: Metric, accumulator: _Outcome[Accumulator | None], trial: Trial
) -> _Outcome[Sequence[Measurement]]:
    if accumulator.status is not Status.OK:
        return _Outcome(None, accumulator.status, accumulator.reason)
    measure = (
        accumulator.value.result
        if accumulator.value is not None
        else partial(cast(SolverMetric, metric).measure, trial)
    )
    return _attempt(lambda: _checked(metric, measure()))


def _checked(metric: Metric, numbers: Sequence[Measurement] | None) -> Sequence[Measurement]:
    """The measurements as plain Python numbers and strings, at least one."""
    if not numbers:
        raise BenchError(f"{metric.name}: returned no measurement")
    return [
        Measurement(
            metric=str(number.metric),
            value=float(number.value),
            unit=str(number.unit),
            n=int(number.n),
            std_error=None if number.std_error is None else float(number.std_error),
            reference=str(number.reference),
            nfe=float(number.nfe),
            vjp=float(number.vjp),
            ranked=bool(number.ranked),
        )
        for number in numbers
    ]


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


def _check_grid(grid: TimeGrid, times: Sequence[Time], steps: int) -> None:
    falling = all(then.s < now.s for now, then in pairwise(times))
    if len(times) != steps + 1 or not falling:
        raise BenchError(
            f"grid '{grid.name}': {len(times)} times for {steps} steps; it must return steps + 1 "
            "times with falling noise"
        )


def _warm_up(trial: Trial, shard: int) -> None:
    """The sampler's first steps on one shard, so that no import or set-up is timed."""
    times = trial.times[:3]
    if trial.sampler.adaptive:
        times = (trial.times[0], trial.process.at_s(0.9 * trial.times[0].s))
    draw = replace(trial.draw, samples=min(trial.draw.samples, SHARD), batch=SHARD)
    counted = CountedDenoiser(trial.model.denoiser, shard=shard)
    for _ in generate(trial.process, counted, trial.sampler, times, draw):
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


def base_row(cell: Cell, machine: Machine, started: str) -> Row:
    """The columns that are known before anything runs."""
    protocol = json.loads(cell.protocol)
    named = {
        "model": cell.model,
        "process": cell.process,
        "grid": cell.grid,
        "solver": cell.solver,
        "corrector": cell.corrector,
    }
    sources = {
        spec.name: _source(spec) for spec in (*named.values(), *cell.metrics) if spec is not None
    }
    row: Row = {"key": cell.key, "run": cell.run, "suite": cell.suite}
    for column, spec in named.items():
        row[column] = spec.name if spec else ""
        row[f"{column}_params"] = spec.changed if spec else ""
    row |= {
        "solver_kind": "adaptive" if cell.ladder else cell.solver.kind.value,
        "sampler": cell.sampler,
        "budget": cell.budget,
        "tolerance": cell.tolerance,
        "seed": cell.seed,
        "reason": "",
        "samples": protocol["samples"],
        "batch": protocol["batch"],
        "shard": protocol["shard"],
        "dtype": protocol["dtype"],
        "s_min": protocol["s_min"],
        "s_max": protocol["s_max"],
        "finish": protocol["finish"],
        "reference_hash": "",
        "solver_source": _source(cell.solver),
        "plugin_sources": canonical(sources),
        "core": cell.core,
        "started": started,
    }
    return row | machine.columns()


def _source(spec: PluginSpec) -> str:
    return f"{spec.source.distribution} {spec.source.version} {spec.source.code}"


def _protocol_columns(trial: Trial, steps: int | None) -> Row:
    return {
        "steps": steps,
        "s_min": trial.times[-1].s,
        "s_max": trial.times[0].s,
        "batch_coupled": trial.sampler.stepper.batch_coupled,
        "weights": trial.model.weights,
    }


def _cost_columns(cell: Cell, trial: Trial, cost: _Cost) -> Row:
    return {
        "nfe": cost.nfe,
        "nfe_declared": cost.declared,
        "nfe_finish": float(trial.sampler.finish),
        "over_budget": cell.budget is not None and cost.nfe > cell.budget,
        "sample_wall_s": cost.wall_s,
        "samples_per_s": trial.draw.samples / cost.wall_s,
        "s_per_evaluation": cost.wall_s / max(cost.rows, 1),
        "peak_memory_mib": cost.peak_mib,
    }


def _metric_rows(
    base: Row, metric: Metric, outcome: _Outcome[Sequence[Measurement]]
) -> Iterator[Row]:
    if outcome.value is None:
        status = {"status": outcome.status.value, "reason": outcome.reason}
        yield base | status | {"metric": metric.name, "unit": metric.unit}
        return
    for number in outcome.value:
        finite = math.isfinite(number.value)
        yield (
            base
            | {
                "metric": number.metric,
                "larger_is_better": metric.larger_is_better if number.ranked else None,
                "value": number.value if finite else None,
                "std_error": number.std_error,
                "unit": number.unit,
                "metric_n": number.n,
                "metric_nfe": number.nfe,
                "metric_vjp": number.vjp,
                "reference_hash": number.reference,
                "status": (Status.OK if finite else Status.DIVERGED).value,
                "reason": "" if finite else f"{number.metric} is {number.value}",
            }
        )
