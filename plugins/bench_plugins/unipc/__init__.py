"""UniPC (Zhao et al. 2023, arXiv:2302.04867)."""

from bench.api import family
from bench_plugins.unipc.unipc import UniPC as UniPC

bench_family = family(__name__)
