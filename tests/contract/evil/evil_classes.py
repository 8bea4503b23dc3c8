"""Classes that keep no contract, beside one that does."""

from dataclasses import dataclass

from bench.api import OdeSolver, hookimpl


class NotASolver:
    name = "not_a_solver"


class NotFrozen(OdeSolver):
    name, reference, order = "not_frozen", "nobody", 1

    def step(self, problem, x, now, then, state):
        return x, None


@dataclass(frozen=True)
class NoStep(OdeSolver):
    name, reference, order = "no_step", "nobody", 1


@dataclass(frozen=True)
class NoOrder(OdeSolver):
    name, reference = "no_order", "nobody"

    def step(self, problem, x, now, then, state):
        return x, None


@dataclass(frozen=True)
class Honest(OdeSolver):
    name, reference, order = "honest", "nobody", 1

    def step(self, problem, x, now, then, state):
        d = problem.denoise(x, now)
        return x * (then.sigma / now.sigma) + d * (
            then.alpha - now.alpha * then.sigma / now.sigma
        ), None


@hookimpl
def bench_ode_solvers():
    return [NotASolver, NotFrozen, NoStep, NoOrder, Honest, None, "text"]
