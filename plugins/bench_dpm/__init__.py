"""DPM-Solver and DPM-Solver++ (Lu et al. 2022)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, Predictor, TimeGrid, hookimpl
from bench_dpm.adaptive_12 import DpmAdaptive12
from bench_dpm.adaptive_23 import DpmAdaptive23
from bench_dpm.fast import DpmSolverFast
from bench_dpm.grid import Exponential, LogSnr
from bench_dpm.pp2m import DpmSolverPP2M
from bench_dpm.pp2m_sde import SdeDpmSolverPP2M
from bench_dpm.pp2s import DpmSolverPP2S
from bench_dpm.pp3m import DpmSolverPP3M
from bench_dpm.ppfast import DpmSolverPPFast
from bench_dpm.solver2 import DpmSolver2
from bench_dpm.solver3 import DpmSolver3
from bench_dpm.solver_multistep import DpmSolverMultistep


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
