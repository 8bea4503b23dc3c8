"""k-diffusion's samplers (Crowson 2022, github.com/crowsonkb/k-diffusion)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, Predictor, hookimpl


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return []


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return []
