"""Figures of guided and conditional samples: each module that `MODULES` names is one."""

from __future__ import annotations

from importlib import import_module

from bench.extend import Figure, hookimpl

MODULES = ("answers", "posteriors", "gradients")


@hookimpl
def bench_figures() -> tuple[Figure, ...]:
    """Return the figures of this package."""
    return tuple(import_module(f"{__name__}.{name}").FIGURE for name in MODULES)
