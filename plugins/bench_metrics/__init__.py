"""Metrics of samples and of solvers."""

from collections.abc import Sequence

from bench.api import Metric, hookimpl
from bench_metrics.distribution import EnergyDistance, SlicedWasserstein
from bench_metrics.fd import DigitsFrechet, MnistFrechet
from bench_metrics.nll_bpd import NllBpd
from bench_metrics.nll_nats import NllNats
from bench_metrics.rmse import Rmse


@hookimpl
def bench_metrics() -> Sequence[type[Metric]]:
    return [MnistFrechet, DigitsFrechet, NllBpd, NllNats, SlicedWasserstein, EnergyDistance, Rmse]
