"""SEEDS (Gonzalez et al. 2023, arXiv:2305.14267)."""

from bench.api import family
from bench_plugins.seeds.seeds_1 import Seeds1 as Seeds1
from bench_plugins.seeds.seeds_2 import Seeds2 as Seeds2
from bench_plugins.seeds.seeds_3 import Seeds3 as Seeds3

bench_family = family(__name__)
