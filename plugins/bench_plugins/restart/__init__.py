"""Restart sampling (Xu et al. 2023, arXiv:2306.14878)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Predictor, hookimpl
from bench_plugins.restart.restart import Restart


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [Restart]
