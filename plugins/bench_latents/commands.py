"""Commands."""

from bench.extend import hookimpl


@hookimpl
def bench_commands():
    return []
