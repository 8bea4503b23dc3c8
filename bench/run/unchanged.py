"""Refuses cells whose code or files were edited since the plan: people edit during runs."""

from __future__ import annotations

from bench.core.errors import BenchError
from bench.core.plugin import Plugin
from bench.files.contents import contents
from bench.identity.host import core_hash
from bench.identity.named import UnknownCodeError
from bench.registry import Registry
from bench.run.cell import Cell
from bench.run.spec import PluginSpec

_AGAIN = "changed since the run was planned; run again"


def check_unchanged(cell: Cell, registry: Registry) -> None:
    """Refuse a cell that was planned with other code, or with other files, than are here now.

    Raises:
        BenchError: its rows would stand under the key of what was.
    """
    if cell.core != core_hash():
        raise BenchError(f"the code of the host {_AGAIN}")
    for spec in cell.plugins:
        source = registry.get(spec.name, spec.kind).source
        if source.code != spec.source.code:
            raise BenchError(f"the code of {spec.title} {_AGAIN}")
        if spec.paths:
            _check_files(spec, spec.build(registry))


def check_fingerprint(spec: PluginSpec, plugin: Plugin) -> None:
    """Refuse a plugin that reads something else than it did for the plan, as a factory's code.

    Raises:
        BenchError: names it.
    """
    try:
        found = plugin.fingerprint()
    except UnknownCodeError:  # such a cell is never found again by its key
        return
    if found != spec.extra:
        raise BenchError(f"what {spec.title} reads {_AGAIN}")


def _check_files(spec: PluginSpec, plugin: Plugin) -> None:
    for name, digest in contents(plugin).items():
        if digest and digest != spec.params[name]:
            raise BenchError(f"{spec.title}: {name} '{spec.paths[name]}' {_AGAIN}")
