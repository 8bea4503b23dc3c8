"""SEEDS (Gonzalez et al. 2023, arXiv:2305.14267)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Predictor, hookimpl


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return []
