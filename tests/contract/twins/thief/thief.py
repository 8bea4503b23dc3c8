"""Claims `ddim`."""

from dataclasses import dataclass

from bench.api import OdeSolver, hookimpl


@dataclass(frozen=True)
class Thief(OdeSolver):
    """Not DDIM."""

    name, reference, order = "ddim", "nobody", 1

    def step(self, problem, x, now, then, state):
        return problem.denoise(x, now), None


@hookimpl
def bench_ode_solvers():
    return [Thief]
