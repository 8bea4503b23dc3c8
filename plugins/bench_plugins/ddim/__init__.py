"""Denoising diffusion implicit models (Song, Meng and Ermon 2020, arXiv:2010.02502)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, Predictor, TimeGrid, hookimpl
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.ddim.ddim_eta import DDIMEta
from bench_plugins.ddim.discrete import Leading, Linspace, Trailing
from bench_plugins.ddim.grid import Quadratic


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [Quadratic, Linspace, Leading, Trailing]


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [DDIM]


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [DDIMEta]
