"""General ODE methods applied to the probability-flow ODE in t."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl
from bench_plugins.odes.adams import AdamsBashforth, AdamsBashforthMoulton
from bench_plugins.odes.adaptive import Bosh3, Dopri5, Dopri8
from bench_plugins.odes.euler import Euler
from bench_plugins.odes.heun import Heun
from bench_plugins.odes.heun3 import Heun3
from bench_plugins.odes.midpoint import Midpoint
from bench_plugins.odes.rk4 import RK4
from bench_plugins.odes.rk45 import RK45
from bench_plugins.odes.tsit5 import Tsit5


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
