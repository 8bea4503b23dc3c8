"""Parallel in time: Picard iterations and Parareal over the steps of a grid."""

from bench.api import family
from bench_plugins.parallel.paradigms import Paradigms as Paradigms
from bench_plugins.parallel.sequential import SequentialGap as SequentialGap
from bench_plugins.parallel.srds import Srds as Srds

bench_family = family(__name__)
