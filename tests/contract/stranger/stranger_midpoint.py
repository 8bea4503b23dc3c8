from dataclasses import dataclass

from bench.api import OdeSolver, combine, hookimpl


@dataclass(frozen=True)
class Midpoint(OdeSolver[None]):
    """The midpoint rule in t: one Euler half step, then the slope found there."""

    name, order = "midpoint", 2
    reference = "Hairer, Norsett and Wanner 1993, Section II.1"

    def cost(self, steps):
        return 2 * steps

    def step(self, problem, x, now, then, state):
        middle, dt = problem.at((now.t + then.t) / 2), then.t - now.t
        half = combine((1.0, x), (dt / 2, problem.velocity(x, now)))
        return combine((1.0, x), (dt, problem.velocity(half, middle))), None


@hookimpl
def bench_ode_solvers():
    return [Midpoint]
