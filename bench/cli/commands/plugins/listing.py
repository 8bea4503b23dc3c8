"""The plugins that were found, whose they are, and what is broken."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table as RichTable

from bench.registry import Broken, Entry, Kind, Meddling, Registry, Source, parameters
from bench.render.table import Table, table_rows, text_columns
from bench.render.terminal import terminal


def plugin_summary(registry: Registry, kinds: Sequence[Kind]) -> dict[str, Any]:
    """All plugins of ``kinds`` and the broken ones, as JSON."""
    return {
        "plugins": [_entry(entry) for kind in kinds for entry in registry.of(kind)],
        "broken": [dataclasses.asdict(item) for item in registry.broken],
        "meddling": [dataclasses.asdict(item) for item in registry.meddling],
    }


def plugin_tables(registry: Registry, kinds: Sequence[Kind]) -> Iterator[RichTable]:
    """One table per kind, one of what is broken and one of what changed the process's state."""
    heads = text_columns("name", "parameters", "distribution", "reference")
    for kind in kinds:
        rows = table_rows(
            (entry.name, _signature(entry), _owner(entry.source), entry.cls.reference)
            for entry in registry.of(kind)
        )
        yield terminal(Table(kind.replace("_", " "), heads, rows), expand=True)
    if registry.broken:
        heads = text_columns("entry point", "distribution", "reason")
        rows = table_rows((b.entry_point, _owner(b), b.reason) for b in registry.broken)
        yield terminal(Table("broken", heads, rows), expand=True, style="red")
    if registry.meddling:
        heads = text_columns("entry point", "distribution", "changed", "could not be undone")
        rows = table_rows(
            (m.entry_point, _owner(m), m.changed, m.lasting) for m in registry.meddling
        )
        title = "changed the state of the process when imported"
        yield terminal(Table(title, heads, rows), expand=True, style="yellow")


def _owner(item: Source | Broken | Meddling) -> str:
    return f"{item.distribution} {item.version}"


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind.value,
        "name": entry.name,
        "distribution": entry.source.distribution,
        "version": entry.source.version,
        "code": entry.source.code,
        "doubt": entry.source.doubt,
        "reference": entry.cls.reference,
        "doc": (entry.cls.__doc__ or "").strip().partition("\n")[0],
        "parameters": {
            f.name: {"type": str(f.type), "default": _default(f)} for f in parameters(entry.cls)
        },
    }


def _signature(entry: Entry) -> str:
    return ", ".join(f"{f.name}={_default(f)}" for f in parameters(entry.cls))


def _default(field: dataclasses.Field[Any]) -> Any:
    return "required" if field.default is dataclasses.MISSING else field.default
