"""A hook that raises while its answer is read."""

from bench.api import hookimpl


@hookimpl
def bench_ode_solvers():
    yield from ()
    raise LookupError("the generator broke")
