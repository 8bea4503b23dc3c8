"""Samples under the clock, with every metric fed as the batches come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from bench.core.metric import Trial
from bench.core.model import CountedDenoiser
from bench.core.noise import SHARD
from bench.core.process import Time
from bench.core.sample import Batch, generate
from bench.run.attempt import DivergedError
from bench.run.machine import PeakMemory, synchronise
from bench.run.measure import Measuring
from bench.run.shown import Kept


@dataclass(frozen=True)
class SamplingCost:
    """The cost of sampling.

    Attributes:
        nfe: measured network evaluations per sample.
        vjp: measured vector-Jacobian products per sample.
        depth: of ``nfe``, those that waited for one another.
        declared: the sum of both as the sampler declares it; None for adaptive solvers.
        wall_s: seconds.
        rows: network rows (sample x evaluation).
        peak_mib: peak memory in MiB.
    """

    nfe: float
    vjp: float
    depth: float
    declared: int | None
    wall_s: float
    rows: int
    peak_mib: float


@dataclass(frozen=True)
class Sampled:
    """All samples: measured, counted, and some kept to be shown."""

    measuring: Measuring
    cost: SamplingCost
    kept: Kept
    metric_wall_s: float


def warm_up(trial: Trial, shard: int) -> None:
    """Take two of the sampler's steps on one shard, so that no import or set-up is timed."""
    # From end to end: some methods need certain levels to be passed.
    times: Sequence[Time] = (*trial.times[:-1][:2], trial.times[-1])
    if trial.sampler.adaptive:
        times = (trial.times[0], trial.process.at_s(0.9 * trial.times[0].s))
    times = trial.times if trial.sampler.stepper.whole else times
    draw = replace(trial.draw, samples=min(trial.draw.samples, SHARD), batch=SHARD)
    counted = CountedDenoiser(trial.model.denoiser, shard=shard)
    for _ in generate(trial.process, counted, trial.sampler, times, draw, trial.log_prob):
        pass


def sample(trial: Trial, shard: int, measuring: Measuring) -> Sampled:
    """Draw all samples of a trial.

    Raises:
        DivergedError: some are not finite.
    """
    counted = CountedDenoiser(trial.model.denoiser, shard=shard)
    device, samples = trial.draw.device, trial.draw.samples
    wall = metric_wall = 0.0
    kept = Kept(trial)
    memory = PeakMemory.start(device)
    batches = generate(
        trial.process, counted, trial.sampler, trial.times, trial.draw, trial.log_prob
    )
    for batch, seconds in _time_batches(batches, device):
        wall += seconds
        _check_finite(batch)
        begin = time.perf_counter()
        measuring = measuring.add(batch)
        kept = kept.add(batch)
        metric_wall += time.perf_counter() - begin
    evaluations = counted.evaluations
    sampler = trial.sampler
    declared = None if sampler.adaptive else sampler.cost_on(trial.process, trial.times)
    cost = SamplingCost(
        evaluations.nfe(samples),
        evaluations.vjps(samples),
        evaluations.depth(samples),
        declared,
        wall,
        evaluations.rows,
        memory.peak_mib(),
    )
    return Sampled(measuring, cost, kept, metric_wall)


def _time_batches(batches: Iterator[Batch], device: torch.device) -> Iterator[tuple[Batch, float]]:
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


def _check_finite(batch: Batch) -> None:
    finite = torch.isfinite(batch.x).flatten(1).all(1)
    bad = int((~finite).sum())
    if bad:
        raise DivergedError(
            f"{bad} of {len(finite)} samples from number {batch.first} on are not finite"
        )
