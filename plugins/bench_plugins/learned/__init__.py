"""Grids and solvers whose numbers are learned for one network and budget before sampling."""

from bench.api import family
from bench_plugins.learned.ld3 import Ld3 as Ld3
from bench_plugins.learned.oss import OptimalStepsize as OptimalStepsize
from bench_plugins.learned.parallel import Amed as Amed
from bench_plugins.learned.parallel import Epd as Epd
from bench_plugins.learned.s4s import S4S as S4S

bench_family = family(__name__)
