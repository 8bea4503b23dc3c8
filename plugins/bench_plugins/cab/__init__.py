"""CAB (Roy and Nair 2026, arXiv:2605.16736)."""

from bench.api import family
from bench_plugins.cab.corrected import Cab as Cab

bench_family = family(__name__)
