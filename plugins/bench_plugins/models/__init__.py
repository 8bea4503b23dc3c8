"""Score models: closed forms and the pretrained networks of the wheel."""

from collections.abc import Sequence

from bench.api import Model, hookimpl
from bench_plugins.models.empirical import Empirical
from bench_plugins.models.mixture import GaussianMixture, RandomMixture
from bench_plugins.models.pretrained import DigitsMlp, MnistUnet, Trained


@hookimpl
def bench_models() -> Sequence[type[Model]]:
    return [GaussianMixture, RandomMixture, Empirical, DigitsMlp, MnistUnet, Trained]
