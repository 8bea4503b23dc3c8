"""Cells that run strangers' code, and therefore in a process that nothing else ran in."""

from __future__ import annotations

from collections.abc import Sequence

from bench.project import PROJECT
from bench.registry import Registry
from bench.run.cell import Cell
from bench.run.spec import PluginSpec


def runs_foreign_code(cell: Cell, registry: Registry) -> bool:
    """True if a plugin of ``cell`` is not the host's own, or imports code of the user's."""
    return any(_foreign(spec, registry) for spec in cell.plugins)


def late_imports(cells: Sequence[Cell], registry: Registry) -> tuple[str, ...]:
    """Modules that the host's own plugins of these cells import with their first use."""
    own = {spec for cell in cells for spec in cell.plugins if spec.source.distribution == PROJECT}
    classes = {registry.get(spec.name, spec.kind).cls for spec in own}
    return tuple(sorted({module for cls in classes for module in cls.imports}))


def _foreign(spec: PluginSpec, registry: Registry) -> bool:
    if spec.source.distribution != PROJECT:
        return True
    return registry.get(spec.name, spec.kind).cls.imports_code
