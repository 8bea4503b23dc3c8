"""The metrics of a cell, each guarded: one that fails leaves the others their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from bench.core.errors import UnsupportedError
from bench.core.metric import Accumulator, Measurement, Metric, SampleMetric, SolverMetric, Trial
from bench.core.sample import Batch
from bench.results.schema import Status
from bench.run.attempt import Attempt, attempt
from bench.run.measurements import check_measurements

Measured = Attempt[Sequence[Measurement]]


@dataclass(frozen=True)
class Measuring:
    """The metrics of a cell, with what they accumulate of the samples so far."""

    metrics: Sequence[Metric]
    accumulators: Sequence[Attempt[Accumulator | None]]

    @staticmethod
    def start(metrics: Sequence[Metric], trial: Trial) -> Measuring:
        """Before the first samples."""
        return Measuring(metrics, [attempt(partial(_start, metric, trial)) for metric in metrics])

    def add(self, batch: Batch) -> Measuring:
        """With the samples of ``batch``."""
        return replace(self, accumulators=[_add(item, batch) for item in self.accumulators])

    def finish(self, trial: Trial) -> list[Measured]:
        """The numbers of each metric, or why there are none."""
        return [
            _finish(metric, accumulator, trial)
            for metric, accumulator in zip(self.metrics, self.accumulators, strict=True)
        ]


def _start(metric: Metric, trial: Trial) -> Accumulator | None:
    if trial.observed and not metric.answers:
        raise UnsupportedError(
            f"{metric.name} is a number of the model's whole distribution, and the samples answer "
            "observations; name a metric of the task"
        )
    return metric.start(trial) if isinstance(metric, SampleMetric) else None


def _add(accumulator: Attempt[Accumulator | None], batch: Batch) -> Attempt[Accumulator | None]:
    if accumulator.value is None:
        return accumulator
    # A copy each: a metric that writes into its samples must not change those of the next.
    own = replace(batch, x=batch.x.clone())
    added = attempt(partial(accumulator.value.add, own))
    if added.status is Status.OK:
        return accumulator
    return Attempt(None, added.status, added.reason)


def _finish(metric: Metric, accumulator: Attempt[Accumulator | None], trial: Trial) -> Measured:
    if accumulator.status is not Status.OK:
        return Attempt(None, accumulator.status, accumulator.reason)
    measure = (
        accumulator.value.result
        if accumulator.value is not None
        else partial(cast(SolverMetric, metric).measure, trial)
    )
    return attempt(lambda: check_measurements(metric.name, measure()))
