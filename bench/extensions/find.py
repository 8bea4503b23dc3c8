"""Finds commands and figures: extensions that never load torch, in entry points of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import pluggy

from bench.extensions import hookspecs
from bench.project import PROJECT

COMMANDS = "scorebench.commands"
"""Entry points of modules with the hook ``bench_commands``."""

FIGURES = "scorebench.figures"
"""Entry points of modules with the hook ``bench_figures``."""


@dataclass(frozen=True)
class Extension:
    """What one entry point gave.

    Attributes:
        entry_point, distribution: whose it is.
        items: what its hook returned.
        fault: why there is nothing; "" for no fault.
    """

    entry_point: str
    distribution: str
    items: tuple[Any, ...] = ()
    fault: str = ""


def extensions(group: str, hook: str) -> tuple[Extension, ...]:
    """Call ``hook`` of every entry point of ``group``, each in its own guard."""
    points = sorted(metadata.entry_points(group=group), key=lambda point: point.name)
    return tuple(_extension(point, hook) for point in points)


def _extension(point: metadata.EntryPoint, hook: str) -> Extension:
    owner = point.dist.name if point.dist else "unknown"
    try:
        return Extension(point.name, owner, tuple(_items(point, hook)))
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".strip().replace("\n", " ")
        return Extension(point.name, owner, fault=reason)


def _items(point: metadata.EntryPoint, hook: str) -> Iterable[Any]:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(point.load(), name=point.name)
    manager.check_pending()
    return [item for answer in getattr(manager.hook, hook)() for item in answer]
