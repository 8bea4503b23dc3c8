"""Denoising diffusion implicit models (Song, Meng and Ermon 2020, arXiv:2010.02502)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, TimeGrid, hookimpl
from bench_ddim.ddim import DDIM
from bench_ddim.grid import Quadratic


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [Quadratic]


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [DDIM]
