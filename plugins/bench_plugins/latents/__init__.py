"""Latent codes of the probability-flow ODE: round trips, Gaussianity, uniqueness, interpolation."""

from bench.api import family
from bench_plugins.latents.agreement import CodeAgreement as CodeAgreement
from bench_plugins.latents.gaussianity import CodeGaussianity as CodeGaussianity
from bench_plugins.latents.round_trip import RoundTrip as RoundTrip

bench_family = family(__name__)
