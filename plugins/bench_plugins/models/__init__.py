"""Score models: closed forms and the pretrained networks of the wheel."""

from bench.api import family
from bench_plugins.models.empirical import Empirical as Empirical
from bench_plugins.models.mixture import GaussianMixture as GaussianMixture
from bench_plugins.models.mixture import RandomMixture as RandomMixture
from bench_plugins.models.pretrained import DigitsMlp as DigitsMlp
from bench_plugins.models.pretrained import MnistUnet as MnistUnet
from bench_plugins.models.pretrained import Trained as Trained

bench_family = family(__name__)
