"""Which cells run strangers' code, and therefore in a process that nothing else ran in."""

from __future__ import annotations

from bench.hookspecs import PROJECT
from bench.registry import Registry
from bench.run.cell import Cell, PluginSpec


def runs_foreign_code(cell: Cell, registry: Registry) -> bool:
    """Whether any plugin of ``cell`` is not the host's own, or imports code of the user's."""
    return any(_foreign(spec, registry) for spec in cell.plugins)


def _foreign(spec: PluginSpec, registry: Registry) -> bool:
    if spec.source.distribution != PROJECT:
        return True
    return registry.get(spec.name, spec.kind).cls.imports_code
