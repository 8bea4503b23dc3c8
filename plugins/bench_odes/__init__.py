"""General ODE methods applied to the probability-flow ODE in t."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl
from bench_odes.adams import AdamsBashforth, AdamsBashforthMoulton
from bench_odes.adaptive import Bosh3, Dopri5, Dopri8
from bench_odes.euler import Euler
from bench_odes.heun import Heun
from bench_odes.heun3 import Heun3
from bench_odes.midpoint import Midpoint
from bench_odes.rk4 import RK4
from bench_odes.rk45 import RK45
from bench_odes.tsit5 import Tsit5


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [
        Euler,
        Midpoint,
        Heun,
        Heun3,
        RK4,
        AdamsBashforth,
        AdamsBashforthMoulton,
        Dopri5,
        Bosh3,
        Dopri8,
        RK45,
        Tsit5,
    ]
