"""Metrics of truth: samples against the exact posterior, the truth and the observation."""

from collections.abc import Sequence

from bench.api import Asset, family, hookimpl
from bench_plugins.truth.c2st import ClassifierTest as ClassifierTest
from bench_plugins.truth.calibration import Calibration as Calibration
from bench_plugins.truth.images import PeakSignalToNoise as PeakSignalToNoise
from bench_plugins.truth.images import StructuralSimilarity as StructuralSimilarity
from bench_plugins.truth.ksd import ScoreStein as ScoreStein
from bench_plugins.truth.lpips import ASSETS
from bench_plugins.truth.lpips import PerceptualSimilarity as PerceptualSimilarity
from bench_plugins.truth.misfit import DataMisfit as DataMisfit
from bench_plugins.truth.misfit import Diversity as Diversity
from bench_plugins.truth.mmse import MmseGap as MmseGap
from bench_plugins.truth.moments import PosteriorMoments as PosteriorMoments
from bench_plugins.truth.swd import PosteriorWasserstein as PosteriorWasserstein

bench_family = family(__name__)


@hookimpl
def bench_assets() -> Sequence[Asset]:
    return ASSETS
