"""Extended reverse-time SDE solvers (Cui et al. 2023, arXiv:2309.06169)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Predictor, hookimpl
from bench_plugins.er_sde.solver import ErSde


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [ErSde]
