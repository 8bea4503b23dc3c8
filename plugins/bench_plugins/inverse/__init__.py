"""Samplers of inverse problems: guidances and solvers that use an observation."""

from bench.api import family
from bench_plugins.inverse.ddnm import Ddnm as Ddnm
from bench_plugins.inverse.exact import ExactPosteriorScore as ExactPosteriorScore

bench_family = family(__name__)
