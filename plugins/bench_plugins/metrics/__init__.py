"""Metrics of samples and of solvers."""

from collections.abc import Sequence

from bench.api import Metric, TrainableClassifier, hookimpl
from bench_plugins.metrics.classifier import SmallClassifier
from bench_plugins.metrics.distribution import EnergyDistance, SlicedWasserstein
from bench_plugins.metrics.fd import DigitsFrechet, MnistFrechet
from bench_plugins.metrics.nll_bpd import NllBpd
from bench_plugins.metrics.nll_nats import NllNats
from bench_plugins.metrics.rmse import Rmse


@hookimpl
def bench_metrics() -> Sequence[type[Metric]]:
    return [MnistFrechet, DigitsFrechet, NllBpd, NllNats, SlicedWasserstein, EnergyDistance, Rmse]


@hookimpl
def bench_classifiers() -> Sequence[type[TrainableClassifier]]:
    return [SmallClassifier]
