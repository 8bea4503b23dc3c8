"""The figures of the report: each module of this folder is one, its ``FIGURE``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from bench.extensions.figure import Figure
from bench.project import hookimpl


@hookimpl
def bench_figures() -> tuple[Figure, ...]:
    """Return the figures of this folder."""
    names = sorted(module.name for module in iter_modules(__path__, f"{__name__}."))
    return tuple(import_module(name).FIGURE for name in names)
