"""Gotta Go Fast (Jolicoeur-Martineau et al. 2021, arXiv:2105.14080)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Predictor, hookimpl
from bench_plugins.ggf.ggf import GGF


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [GGF]
