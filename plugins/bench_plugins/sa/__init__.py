"""SA-Solver (Xue et al. 2023, arXiv:2309.05019)."""

from bench.api import family
from bench_plugins.sa.sa_solver import SASolver as SASolver

bench_family = family(__name__)
