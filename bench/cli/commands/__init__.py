"""The commands of the package: each module of this folder has its ``COMMAND``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from bench.extend import Command, hookimpl


@hookimpl
def bench_commands() -> Sequence[Command]:
    """The command of every module of this folder."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return [module.COMMAND for module in modules]
