"""Metrics that fail in every way a metric can fail."""

from dataclasses import dataclass

import torch

from bench.api import Measurement, SampleMetric, SolverMetric, hookimpl


@dataclass(frozen=True)
class EvilMetric(SampleMetric):
    reference, unit, title = "nobody", "1", "evil"

    def start(self, trial):
        return self

    def add(self, batch):
        pass

    def result(self):
        return [Measurement(self.name, 1.0, "1", 1)]


@dataclass(frozen=True)
class RaisesInStart(EvilMetric):
    name = "evil_start"

    def start(self, trial):
        raise RuntimeError("cannot start")


@dataclass(frozen=True)
class RaisesInAdd(EvilMetric):
    name = "evil_add"

    def add(self, batch):
        raise RuntimeError("cannot add")


@dataclass(frozen=True)
class RaisesInResult(EvilMetric):
    name = "evil_result"

    def result(self):
        raise RuntimeError("has no result")


@dataclass(frozen=True)
class RaisesInMeasure(SolverMetric):
    name, reference, unit, title = "evil_measure", "nobody", "1", "evil"

    def measure(self, trial):
        raise RuntimeError("cannot measure")


@dataclass(frozen=True)
class InfiniteValue(EvilMetric):
    name = "evil_infinite"

    def result(self):
        return [Measurement(self.name, float("inf"), "1", 1)]


@dataclass(frozen=True)
class TensorValue(EvilMetric):
    name = "evil_tensor"

    def result(self):
        return [Measurement(self.name, torch.tensor(2.5), "1", torch.tensor(7))]


@dataclass(frozen=True)
class TextValue(EvilMetric):
    name = "evil_text"

    def result(self):
        return [Measurement(self.name, "much", "1", 1)]


@dataclass(frozen=True)
class NoMeasurement(EvilMetric):
    name = "evil_none"

    def result(self):
        return None


@dataclass(frozen=True)
class EmptyMeasurement(EvilMetric):
    name = "evil_empty"

    def result(self):
        return []


@dataclass(frozen=True)
class Spoils(EvilMetric):
    """Writes into the samples that other metrics see after it."""

    name = "evil_spoils"

    def add(self, batch):
        batch.x.zero_()


@hookimpl
def bench_metrics():
    return [
        RaisesInStart,
        RaisesInAdd,
        RaisesInResult,
        RaisesInMeasure,
        InfiniteValue,
        TensorValue,
        TextValue,
        NoMeasurement,
        EmptyMeasurement,
        Spoils,
    ]
