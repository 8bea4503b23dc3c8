"""Score models: closed forms, the pretrained networks of the wheel, and small ones to train."""

from collections.abc import Sequence

from bench.api import Model, Trainable, hookimpl
from bench_plugins.models.empirical import Empirical
from bench_plugins.models.mixture import GaussianMixture, RandomMixture
from bench_plugins.models.pretrained import DigitsMlp, MnistUnet, Trained
from bench_plugins.models.training import SmallMlp, SmallNetwork, SmallUnet


@hookimpl
def bench_models() -> Sequence[type[Model]]:
    return [GaussianMixture, RandomMixture, Empirical, DigitsMlp, MnistUnet, Trained]


@hookimpl
def bench_networks() -> Sequence[type[Trainable]]:
    return [SmallNetwork, SmallUnet, SmallMlp]
