"""Extended reverse-time SDE solvers (Cui et al. 2023, arXiv:2309.06169)."""

from bench.api import family
from bench_plugins.er_sde.solver import ErSde as ErSde

bench_family = family(__name__)
