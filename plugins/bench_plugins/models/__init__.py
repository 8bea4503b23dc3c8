"""Score models: closed forms, the pretrained networks of the wheel, and small ones to train."""

from bench.api import family
from bench_plugins.models.class_mixture import ClassMixture as ClassMixture
from bench_plugins.models.empirical import Empirical as Empirical
from bench_plugins.models.mixture import GaussianMixture as GaussianMixture
from bench_plugins.models.mixture import RandomMixture as RandomMixture
from bench_plugins.models.noisy_classifier import EncoderClassifier as EncoderClassifier
from bench_plugins.models.pretrained import Cifar10JpegUnet as Cifar10JpegUnet
from bench_plugins.models.pretrained import DigitsMlp as DigitsMlp
from bench_plugins.models.pretrained import DigitsMlpDeep as DigitsMlpDeep
from bench_plugins.models.pretrained import MixtureMlp as MixtureMlp
from bench_plugins.models.pretrained import MnistUnet as MnistUnet
from bench_plugins.models.pretrained import MnistUnetClasses as MnistUnetClasses
from bench_plugins.models.pretrained import RandomMixtureMlp as RandomMixtureMlp
from bench_plugins.models.pretrained import Trained as Trained
from bench_plugins.models.training import SmallMlp as SmallMlp
from bench_plugins.models.training import SmallNetwork as SmallNetwork
from bench_plugins.models.training import SmallUnet as SmallUnet

bench_family = family(__name__)
