"""Find commands and figures: extensions that never load torch, in entry points of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    """The items of one entry point.

    Attributes:
        entry_point, distribution: whose they are.
        items: what its hook returned.
        fault: why there is nothing; "" for no fault.
    """

    entry_point: str
    distribution: str
    items: tuple[Any, ...] = ()
    fault: str = ""


def extensions(
    group: str, hook: str, accept: Callable[[str], bool] = lambda owner: True
) -> tuple[Extension, ...]:
    """Call ``hook`` of the entry points of ``group``, each in its own guard, in order of name.

    Args:
        group: of the entry points.
        hook: its name.
        accept: whether extensions of a distribution are wanted; others are not imported.
    """
    points = sorted(
        metadata.entry_points(group=group), key=lambda point: (point.name, _owner(point))
    )
    return tuple(_extension(point, hook) for point in points if accept(_owner(point)))


def _owner(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def _extension(point: metadata.EntryPoint, hook: str) -> Extension:
    try:
        return Extension(point.name, _owner(point), tuple(_items(point, hook)))
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".strip().replace("\n", " ")
        return Extension(point.name, _owner(point), fault=reason)


def _items(point: metadata.EntryPoint, hook: str) -> Iterable[Any]:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(point.load(), name=point.name)
    manager.check_pending()
    return [item for answer in getattr(manager.hook, hook)() for item in answer]
