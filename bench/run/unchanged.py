"""A worker holds the code that it has against that of the plan: files are edited during runs."""

from __future__ import annotations

import json

from bench.core.errors import BenchError
from bench.core.plugin import Plugin
from bench.registry import Registry, core_hash
from bench.run.cell import Cell, PluginSpec
from bench.run.supplies import outside

_AGAIN = "changed since the run was planned; run again"


def check_unchanged(cell: Cell, registry: Registry) -> None:
    """Refuse a cell that was planned with other code than this process has.

    Raises:
        BenchError: its rows would stand under the key of the code that was.
    """
    if cell.core != core_hash():
        raise BenchError(f"the code of the host {_AGAIN}")
    for spec in cell.plugins:
        source = registry.get(spec.name, spec.kind).source
        if source.code != spec.source.code:
            raise BenchError(f"the code of {spec.kind.replace('_', ' ')} '{spec.name}' {_AGAIN}")


def check_same_files(spec: PluginSpec, plugin: Plugin) -> None:
    """Refuse a plugin whose files, or whose factory's code, are not those of the plan.

    Raises:
        BenchError: they are others, or one is missing.
    """
    now = outside(plugin)
    params = json.loads(spec.params)
    moved = any(params[name] != digest for name, digest in now.contents.items() if digest)
    if moved or (not now.doubt and now.rest != spec.extra):
        raise BenchError(f"what {spec.kind.replace('_', ' ')} '{spec.name}' reads {_AGAIN}")
