"""A worker holds the code that it has against that of the plan: files are edited during runs."""

from __future__ import annotations

from bench.core.errors import BenchError
from bench.registry import Registry, core_hash
from bench.run.cell import Cell


def check_unchanged(cell: Cell, registry: Registry) -> None:
    """Refuse a cell that was planned with other code than this process has.

    Raises:
        BenchError: its rows would stand under the key of the code that was.
    """
    again = "changed since the run was planned; run again"
    if cell.core != core_hash():
        raise BenchError(f"the code of the host {again}")
    for spec in cell.plugins:
        source = registry.get(spec.name, spec.kind).source
        if source.code != spec.source.code:
            raise BenchError(f"the code of {spec.kind.replace('_', ' ')} '{spec.name}' {again}")
