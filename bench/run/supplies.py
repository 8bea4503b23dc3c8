"""Which published files the cells of a plan need."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.metric import Metric
from bench.core.plugin import Plugin
from bench.core.target import Model
from bench.files.errors import NotFetchedError
from bench.files.supply import Supply, needs
from bench.registry import Registry
from bench.run.cell import Cell


def fingerprint(plugin: Plugin) -> str:
    """What a plugin reads from outside of its package; a stand-in where it is not fetched yet.

    Raises:
        BenchError: a file is missing that is no published one, or one is damaged.
    """
    if not isinstance(plugin, (Model, Metric)):
        return ""
    try:
        return plugin.fingerprint()
    except NotFetchedError:
        names = [supply.name for supply in needs(plugin) if not supply.present()]
        return f"to be fetched: {', '.join(names)}"


def absent(cells: Sequence[Cell], registry: Registry) -> tuple[Supply, ...]:
    """What ``cells`` need and this machine does not have, each once."""
    specs = dict.fromkeys(spec for cell in cells for spec in (cell.model, *cell.metrics))
    wanted = (supply for spec in specs for supply in needs(spec.build(registry)))
    return tuple(supply for supply in dict.fromkeys(wanted) if not supply.present())
