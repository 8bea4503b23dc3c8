"""Image metrics in the features of Inception-v3, through torch-fidelity."""

from collections.abc import Sequence

from bench.api import Asset, Metric, hookimpl
from bench_fidelity.catalogue import ASSETS
from bench_fidelity.fid import FrechetInception
from bench_fidelity.fid_infinity import FrechetInfinity
from bench_fidelity.inception_score import InceptionScore
from bench_fidelity.kid import KernelInception
from bench_fidelity.prc import PrecisionRecall


@hookimpl
def bench_metrics() -> Sequence[type[Metric]]:
    return [FrechetInception, FrechetInfinity, KernelInception, InceptionScore, PrecisionRecall]


@hookimpl
def bench_assets() -> Sequence[Asset]:
    return ASSETS
