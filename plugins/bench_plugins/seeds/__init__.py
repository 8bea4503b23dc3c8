"""SEEDS (Gonzalez et al. 2023, arXiv:2305.14267)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Predictor, hookimpl
from bench_plugins.seeds.seeds_1 import Seeds1
from bench_plugins.seeds.seeds_2 import Seeds2
from bench_plugins.seeds.seeds_3 import Seeds3


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [Seeds1, Seeds2, Seeds3]
