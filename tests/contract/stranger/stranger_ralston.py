from dataclasses import dataclass

from bench.api import OdeSolver, combine, hookimpl


@dataclass(frozen=True)
class Ralston(OdeSolver[None]):
    """Ralston's method in t: the slope at two thirds of the step has three quarters of the say."""

    name, order = "ralston", 2
    reference = "Ralston 1962, Math. Comp. 16, Eq. 3.5"

    def cost(self, steps):
        return 2 * steps

    def step(self, problem, x, now, then, state):
        dt = then.t - now.t
        slope, late = problem.velocity(x, now), problem.at(now.t + 2 / 3 * dt)
        later = problem.velocity(combine((1.0, x), (2 / 3 * dt, slope)), late)
        return combine((1.0, x), (dt / 4, slope), (3 * dt / 4, later)), None


@hookimpl
def bench_ode_solvers():
    return [Ralston]
