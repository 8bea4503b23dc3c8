"""DPM-Solver and DPM-Solver++ (Lu et al. 2022)."""

from bench.api import family
from bench_plugins.dpm.adaptive_12 import DpmAdaptive12 as DpmAdaptive12
from bench_plugins.dpm.adaptive_23 import DpmAdaptive23 as DpmAdaptive23
from bench_plugins.dpm.fast import DpmSolverFast as DpmSolverFast
from bench_plugins.dpm.grid import Exponential as Exponential
from bench_plugins.dpm.grid import LogSnr as LogSnr
from bench_plugins.dpm.pp2m import DpmSolverPP2M as DpmSolverPP2M
from bench_plugins.dpm.pp2m_sde import SdeDpmSolverPP2M as SdeDpmSolverPP2M
from bench_plugins.dpm.pp2s import DpmSolverPP2S as DpmSolverPP2S
from bench_plugins.dpm.pp3m import DpmSolverPP3M as DpmSolverPP3M
from bench_plugins.dpm.ppfast import DpmSolverPPFast as DpmSolverPPFast
from bench_plugins.dpm.solver2 import DpmSolver2 as DpmSolver2
from bench_plugins.dpm.solver3 import DpmSolver3 as DpmSolver3
from bench_plugins.dpm.solver_multistep import DpmSolverMultistep as DpmSolverMultistep

bench_family = family(__name__)
