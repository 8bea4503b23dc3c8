"""Metrics of samples and of solvers."""

from bench.api import family
from bench_plugins.metrics.accuracy import ClassAccuracy as ClassAccuracy
from bench_plugins.metrics.classifier import SmallClassifier as SmallClassifier
from bench_plugins.metrics.distribution import EnergyDistance as EnergyDistance
from bench_plugins.metrics.distribution import SlicedWasserstein as SlicedWasserstein
from bench_plugins.metrics.elbo import Elbo as Elbo
from bench_plugins.metrics.fd import Cifar10JpegFrechet as Cifar10JpegFrechet
from bench_plugins.metrics.fd import DigitsFrechet as DigitsFrechet
from bench_plugins.metrics.fd import MnistFrechet as MnistFrechet
from bench_plugins.metrics.fd_class import Cifar10JpegClassFrechet as Cifar10JpegClassFrechet
from bench_plugins.metrics.fd_class import MnistClassFrechet as MnistClassFrechet
from bench_plugins.metrics.marginals import Marginals as Marginals
from bench_plugins.metrics.nll_bpd import NllBpd as NllBpd
from bench_plugins.metrics.nll_nats import NllNats as NllNats
from bench_plugins.metrics.prdc_points import PointFidelity as PointFidelity
from bench_plugins.metrics.rmse import Rmse as Rmse

bench_family = family(__name__)
