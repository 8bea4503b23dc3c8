"""Image metrics in the features of Inception-v3, CLIP, DINOv2 and VGG-16, by torch-fidelity."""

from collections.abc import Sequence

from bench.api import Asset, family, hookimpl
from bench_plugins.fidelity.catalogue import ASSETS
from bench_plugins.fidelity.fid import FrechetFeatures as FrechetFeatures
from bench_plugins.fidelity.fid import FrechetInception as FrechetInception
from bench_plugins.fidelity.fid_infinity import FeaturesInfinity as FeaturesInfinity
from bench_plugins.fidelity.fid_infinity import FrechetInfinity as FrechetInfinity
from bench_plugins.fidelity.inception_score import InceptionScore as InceptionScore
from bench_plugins.fidelity.kid import KernelFeatures as KernelFeatures
from bench_plugins.fidelity.kid import KernelInception as KernelInception
from bench_plugins.fidelity.prc import PrecisionRecall as PrecisionRecall

bench_family = family(__name__)


@hookimpl
def bench_assets() -> Sequence[Asset]:
    return ASSETS
