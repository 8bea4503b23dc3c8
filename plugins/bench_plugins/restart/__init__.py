"""Restart sampling (Xu et al. 2023, arXiv:2306.14878)."""

from bench.api import family
from bench_plugins.restart.restart import Restart as Restart

bench_family = family(__name__)
