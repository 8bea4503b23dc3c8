"""Elucidating the design space of diffusion models (Karras et al. 2022, arXiv:2206.00364)."""

from collections.abc import Sequence
from typing import Any

from bench.api import NoiseProcess, OdeSolver, Predictor, TimeGrid, hookimpl
from bench_plugins.edm.churn import EdmChurn
from bench_plugins.edm.grid import Karras
from bench_plugins.edm.heun import EdmHeun
from bench_plugins.edm.process import EDM
from bench_plugins.edm.vp_process import EdmVP


@hookimpl
def bench_processes() -> Sequence[type[NoiseProcess]]:
    return [EDM, EdmVP]


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [Karras]


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [EdmChurn]


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [EdmHeun]
