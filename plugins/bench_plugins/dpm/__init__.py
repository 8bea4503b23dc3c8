"""DPM-Solver and DPM-Solver++ (Lu et al. 2022)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, Predictor, TimeGrid, hookimpl
from bench_plugins.dpm.adaptive_12 import DpmAdaptive12
from bench_plugins.dpm.adaptive_23 import DpmAdaptive23
from bench_plugins.dpm.fast import DpmSolverFast
from bench_plugins.dpm.grid import Exponential, LogSnr
from bench_plugins.dpm.pp2m import DpmSolverPP2M
from bench_plugins.dpm.pp2m_sde import SdeDpmSolverPP2M
from bench_plugins.dpm.pp2s import DpmSolverPP2S
from bench_plugins.dpm.pp3m import DpmSolverPP3M
from bench_plugins.dpm.ppfast import DpmSolverPPFast
from bench_plugins.dpm.solver2 import DpmSolver2
from bench_plugins.dpm.solver3 import DpmSolver3
from bench_plugins.dpm.solver_multistep import DpmSolverMultistep


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [LogSnr, Exponential]


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [
        DpmSolver2,
        DpmSolver3,
        DpmSolverMultistep,
        DpmSolverFast,
        DpmSolverPP2M,
        DpmSolverPP2S,
        DpmSolverPP3M,
        DpmSolverPPFast,
        DpmAdaptive12,
        DpmAdaptive23,
    ]


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [SdeDpmSolverPP2M]
