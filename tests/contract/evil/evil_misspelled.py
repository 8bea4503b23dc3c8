"""A hook whose name is misspelled."""

from bench.api import hookimpl


@hookimpl
def bench_ode_solverz():
    return []
