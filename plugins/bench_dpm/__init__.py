"""DPM-Solver and DPM-Solver++ (Lu et al. 2022)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, TimeGrid, hookimpl
from bench_dpm.grid import Exponential, LogSnr
from bench_dpm.pp2m import DpmSolverPP2M


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [LogSnr, Exponential]


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [DpmSolverPP2M]
