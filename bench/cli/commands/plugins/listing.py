"""`bench plugins`: what was found, where it comes from, and what is broken."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.printable import one_line
from bench.registry import Entry, Kind, Registry, parameters


def plugin_summary(registry: Registry, kinds: Sequence[Kind]) -> dict[str, Any]:
    """All plugins of ``kinds`` and the broken ones, as JSON."""
    return {
        "plugins": [_entry(entry) for kind in kinds for entry in registry.of(kind)],
        "broken": [dataclasses.asdict(item) for item in registry.broken],
        "meddling": [dataclasses.asdict(item) for item in registry.meddling],
    }


def plugin_tables(registry: Registry, kinds: Sequence[Kind]) -> Iterator[Table]:
    """One table per kind, one of what is broken and one of what changed the process's state."""
    for kind in kinds:
        table = Table(title=kind.replace("_", " "), title_justify="left", expand=True)
        for heading in ("name", "parameters", "distribution", "reference"):
            table.add_column(heading, overflow="fold")
        for entry in registry.of(kind):
            owner = f"{entry.source.distribution} {entry.source.version}"
            table.add_row(*map(_text, (entry.name, _signature(entry), owner, entry.cls.reference)))
        yield table
    if registry.broken:
        table = Table(title="broken", title_justify="left", style="red", expand=True)
        for heading in ("entry point", "distribution", "reason"):
            table.add_column(heading, overflow="fold")
        for item in registry.broken:
            owner = f"{item.distribution} {item.version}"
            table.add_row(*map(_text, (item.entry_point, owner, item.reason)))
        yield table
    if registry.meddling:
        yield _meddling_table(registry)


def _meddling_table(registry: Registry) -> Table:
    title = "changed the state of the process when imported"
    table = Table(title=title, title_justify="left", style="yellow", expand=True)
    for heading in ("entry point", "distribution", "changed", "could not be undone"):
        table.add_column(heading, overflow="fold")
    for item in registry.meddling:
        owner = f"{item.distribution} {item.version}"
        table.add_row(*map(Text, (item.entry_point, owner, item.changed, item.lasting)))
    return table


def _text(text: str) -> Text:
    """A stranger's text on one line, never taken for markup."""
    return Text(one_line(text))


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
