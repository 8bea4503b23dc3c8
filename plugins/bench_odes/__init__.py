"""General ODE methods applied to the probability-flow ODE in t."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl
from bench_odes.adaptive import Bosh3, Dopri5, Dopri8
from bench_odes.euler import Euler
from bench_odes.heun import Heun
from bench_odes.rk4 import RK4


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [Euler, Heun, RK4, Dopri5, Bosh3, Dopri8]
