"""Gradient estimation (Permenter and Yuan 2024, arXiv:2306.04848)."""

from bench.api import family
from bench_plugins.gradient_estimation.solver import GradientEstimation as GradientEstimation

bench_family = family(__name__)
