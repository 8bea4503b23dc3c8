"""Image metrics in the features of Inception-v3, CLIP, DINOv2 and VGG-16, by torch-fidelity."""

from collections.abc import Sequence

from bench.api import Asset, Metric, hookimpl
from bench_plugins.fidelity.catalogue import ASSETS
from bench_plugins.fidelity.fid import FrechetFeatures, FrechetInception
from bench_plugins.fidelity.fid_infinity import FeaturesInfinity, FrechetInfinity
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.kid import KernelFeatures, KernelInception
from bench_plugins.fidelity.prc import PrecisionRecall


@hookimpl
def bench_metrics() -> Sequence[type[Metric]]:
    return [
        FrechetInception,
        FrechetInfinity,
        KernelInception,
        InceptionScore,
        PrecisionRecall,
        FrechetFeatures,
        FeaturesInfinity,
        KernelFeatures,
    ]


@hookimpl
def bench_assets() -> Sequence[Asset]:
    return ASSETS
