"""Align Your Steps (Sabour, Fidler and Kreis 2024, arXiv:2404.14507)."""

from bench.api import family
from bench_plugins.ays.grid import AlignYourSteps as AlignYourSteps

bench_family = family(__name__)
