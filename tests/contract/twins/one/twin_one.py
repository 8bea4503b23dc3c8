"""Claims `twin` as an ODE solver."""

from dataclasses import dataclass

from bench.api import OdeSolver, hookimpl


@dataclass(frozen=True)
class Twin(OdeSolver):
    name, reference, order = "twin", "nobody", 1

    def step(self, problem, x, now, then, state):
        return problem.denoise(x, now), None


@hookimpl
def bench_ode_solvers():
    return [Twin]
