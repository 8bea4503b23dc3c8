"""Gotta Go Fast (Jolicoeur-Martineau et al. 2021, arXiv:2105.14080)."""

from bench.api import family
from bench_plugins.ggf.ggf import GGF as GGF

bench_family = family(__name__)
