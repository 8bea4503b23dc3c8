"""The plugins that `bench plugins check NAME` checks."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.registry import Broken, Entry, Kind, Registry


@dataclass(frozen=True)
class Selection:
    """The plugins that a name stands for, and what of them is broken."""

    entries: tuple[Entry, ...]
    broken: tuple[Broken, ...]

    def refuse_broken(self) -> None:
        """Raise the first reason why something here is broken."""
        for item in self.broken:
            raise BenchError(f"'{item.entry_point}' of '{item.distribution}': {item.reason}")


def select(registry: Registry, target: str) -> Selection:
    """The plugins called ``target``, else those of the entry point or distribution called so.

    Raises:
        BenchError: nothing is called so.
    """
    entries = tuple(e for e in registry.of(*Kind) if e.name == target)
    if not entries:
        entries = tuple(e for e in registry.of(*Kind) if _belongs_to(e, target))
    owners = {e.source.entry_point for e in entries}
    broken = tuple(
        item
        for item in registry.broken
        if target in (item.entry_point, _plain(item.distribution))
        or _plain(target) == _plain(item.distribution)
        or f"'{target}'" in item.reason
        or (item.entry_point in owners and len(entries) > 1)
    )
    if not entries and not broken:
        raise BenchError(
            f"no plugin, entry point or distribution '{target}'; {_advice(registry, target)}"
        )
    return Selection(entries, broken)


def _belongs_to(entry: Entry, target: str) -> bool:
    return entry.source.entry_point == target or _plain(entry.source.distribution) == _plain(target)


def _plain(name: str) -> str:
    """Distribution names are equal up to case, '-', '_' and '.'."""
    return name.lower().replace("_", "-").replace(".", "-")


def _advice(registry: Registry, target: str) -> str:
    names = {e.name for e in registry.of(*Kind)} | {e.source.distribution for e in registry.entries}
    close = difflib.get_close_matches(target, sorted(names), n=1)
    return f"did you mean '{close[0]}'?" if close else "see `bench plugins`"
