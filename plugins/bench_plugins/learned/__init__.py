"""Grids and solvers whose numbers are learned for one network and budget before sampling."""

from bench.api import family
from bench_plugins.learned.ld3 import Ld3 as Ld3
from bench_plugins.learned.oss import OptimalStepsize as OptimalStepsize

bench_family = family(__name__)
