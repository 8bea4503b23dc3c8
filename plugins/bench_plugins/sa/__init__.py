"""SA-Solver (Xue et al. 2023, arXiv:2309.05019)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Predictor, hookimpl
from bench_plugins.sa.sa_solver import SASolver


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [SASolver]
