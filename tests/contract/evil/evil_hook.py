"""A hook that raises."""

from bench.api import hookimpl


@hookimpl
def bench_ode_solvers():
    raise LookupError("no solvers in stock")
