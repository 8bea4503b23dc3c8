"""Geometry-inspired time scheduling (Chen et al. 2024, arXiv:2405.11326)."""

from bench.api import family
from bench_plugins.gits.grid import Gits as Gits

bench_family = family(__name__)
